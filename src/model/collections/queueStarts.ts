/** The collection `queueStarts`: when tasks of queues with a rate limit were started last, so that a new leader keeps the limit, too. */
import { type Collection, isObject } from "./collection.ts";

export interface QueueStarts {
  readonly name: string;
  /** Instants in ms since 1970 with the number of tasks that were started then, in order. */
  readonly starts: readonly (readonly [at: number, count: number])[];
}

export const queueStarts = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (value["name"] !== id) return "has a name that is not its id";
    return Array.isArray(value["starts"]) ? null : "has no list of starts";
  },

  digestOf: (value) => ({ ...value }),

  toEvent: () => null,
} as const satisfies Collection<QueueStarts>;
