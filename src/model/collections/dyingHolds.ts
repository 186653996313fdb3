/**
 * The collection `dyingHolds`: attempts that are over for the leader while their processes may still be ending, and that still
 * count for a limit of their queue, for their concurrency key or for their unique key, or that are still to stop a job of a service. A
 * new leader goes on counting them.
 */
import type { BootId, TaskId, WorkerId } from "../ids.ts";
import type { TaskSpec } from "../task.ts";
import { type Collection, isObject } from "./collection.ts";

export interface DyingHold {
  readonly task: TaskId;
  readonly attempt: number;
  /** By the leader's clock, in ms since 1970; left out by older versions. */
  readonly assignedAt?: number;
  readonly worker: WorkerId;
  readonly boot: BootId;
  readonly queue: string;
  /** The task's concurrency key; left out if it has none. */
  readonly key?: string;
  /** The task's unique key; left out if it has none. */
  readonly uniqueKey?: string;
  /** Creates the task that stops its job at a service, should its worker be lost before it has done so. */
  readonly stop?: TaskSpec;
}

export const dyingHolds = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(_id, value) {
    if (!isObject(value)) return "is not an object";
    const texts = ["task", "worker", "boot", "queue"].every((name) => typeof value[name] === "string");
    return texts && typeof value["attempt"] === "number" ? null : "does not name an attempt, its worker and its queue";
  },

  digestOf: ({ stop, ...hold }) => ({ ...hold, ...(stop !== undefined && { stop: stop.id }) }),

  toEvent: () => null,
} as const satisfies Collection<DyingHold>;
