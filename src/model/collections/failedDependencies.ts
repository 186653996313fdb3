/** The collection `failedDependencies`: tasks that have ended without success while others were blocked by them; the id is the task's. */
import { type Collection, isObject } from "./collection.ts";

/** Kept until the last task that waited for it has started, or will never start. */
export interface FailedDependency {
  readonly state: "failed" | "cancelled" | "skipped";
}

const states: readonly unknown[] = ["failed", "cancelled", "skipped"];

export const failedDependencies = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf: (_id, value) =>
    isObject(value) && states.includes(value["state"]) ? null : "does not say how the task has ended",

  digestOf: ({ state }: FailedDependency) => ({ state }),

  toEvent: () => null,
} as const satisfies Collection<FailedDependency>;
