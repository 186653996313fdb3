/** How `outlast up` lets its masters know the token of its own workers: in this variable, which their tasks never see. */
export const workerTokenVariable = "OUTLAST_WORKER_TOKEN";
