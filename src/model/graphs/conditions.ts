/** When a task runs that waits for others, and what the failure of one node means for its graph. */

/**
 * What must have become of the tasks that a task waits for. `success`: all have succeeded. `failure`: at least one has failed, or
 * was cancelled or skipped. `always`: they have ended in whatever way.
 */
export const runConditions = ["success", "failure", "always"] as const;
export type RunCondition = (typeof runConditions)[number];

/**
 * `stop`: once a node has failed, no more nodes start, except those whose `runIf` asks for it; running ones come to their end.
 * `continue`: all that can still run does. The graph fails in both cases.
 */
export const nodeFailurePolicies = ["stop", "continue"] as const;
export type OnNodeFailure = (typeof nodeFailurePolicies)[number];
