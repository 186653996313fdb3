/** The collection `queues`: the settings of queues. A queue without a record is not paused. */
import { isId } from "../ids.ts";
import type { QueueRecord } from "../worker.ts";
import { type Collection, isObject } from "./collection.ts";

export const queues = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (!isId(value["name"]) || value["name"] !== id) return "has a name that is not its id";
    return typeof value["isPaused"] === "boolean" ? null : "does not say whether it is paused";
  },

  digestOf: ({ name, isPaused }) => ({ name, isPaused }),

  toEvent: (name, queue) => ({ event: "queue", data: queue ?? { name, isPaused: false } }),
} as const satisfies Collection<QueueRecord>;
