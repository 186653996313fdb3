/** The collection `queues`: the settings of queues. A queue without a record is not paused and has no limits. */
import { isId } from "../ids.ts";
import type { QueueRecord } from "../worker.ts";
import { type Collection, isObject } from "./collection.ts";

export const queues = {
  // 2: limits of queues.
  version: 2,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (!isId(value["name"]) || value["name"] !== id) return "has a name that is not its id";
    const { isPaused, concurrencyMax, rate } = value;
    if (concurrencyMax !== undefined && typeof concurrencyMax !== "number") return "has a bound that is not a number";
    if (rate !== undefined && !isObject(rate)) return "has a rate that is not an object";
    return typeof isPaused === "boolean" ? null : "does not say whether it is paused";
  },

  digestOf: (queue) => ({ ...queue, rate: queue.rate && { ...queue.rate } }),

  toEvent: (name, queue) => ({ event: "queue", data: queue ?? { name, isPaused: false } }),
} as const satisfies Collection<QueueRecord>;
