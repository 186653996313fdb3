/** Schemas of workers and queues as they are shown, and of what a supervisor reports. */
import { limits } from "../../model/limits.ts";
import { closed, count, id, instant, list, oneOf, open, orNull, ref, text, truth, whole } from "../../model/schema.ts";

/** What is told of a worker wherever it is shown. */
export const workerProperties = {
  id,
  boot: { ...id, description: "Drawn anew by each process of this worker." },
  capacity: whole(1, limits.capacityMax, "capacityMax"),
  queues: list(id),
  isDraining: truth,
  state: ref("WorkerState"),
  changedAt: instant,
  hostname: text,
  pid: count,
  version: text,
};
export const optionalWorkerProperties = {
  kinds: list(text),
  labels: list(text),
  probe: ref("ProbeAddress"),
};

export const workerSchemas = {
  WorkerState: oneOf(["connected", "suspect", "lost", "gone"]),
  ProbeAddress: open(
    { host: text, port: count },
    {},
    { description: "Where a refused connection proves that the worker is dead; absent if it would prove nothing." },
  ),
  Worker: open(
    {
      ...workerProperties,
      running: count,
      heardAt: { ...orNull(instant), description: "Null if not heard of since this leader was elected." },
    },
    optionalWorkerProperties,
  ),
  WorkerList: open({ workers: list(ref("Worker")) }),
  Draining: open({ id, isDraining: { const: true } }),
  Exit: closed({ boot: id }, {}, { description: "A supervisor saw this boot's process exit." }),
  ExitNoted: open({ id, boot: id }),
  Queue: open({
    name: id,
    isPaused: truth,
    tasks: { type: "object", additionalProperties: count, description: "Tasks by state." },
    workers: { ...count, description: "Connected workers that serve it." },
  }),
  QueueList: open({ queues: list(ref("Queue")) }),
  QueueSet: open({ name: id, isPaused: truth }),
};
