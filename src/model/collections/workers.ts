/** The collection `workers`: which boot of each worker holds its place. */
import { isId } from "../ids.ts";
import type { WorkerRecord } from "../worker.ts";
import { type Collection, isObject } from "./collection.ts";

const states = ["connected", "lost", "gone"] satisfies WorkerRecord["state"][];

export const workers = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    const { boot, capacity, queues, isDraining, state, changedAt } = value;
    if (!isId(value["id"]) || value["id"] !== id) return "has an id of its own";
    if (typeof boot !== "string") return "has no boot";
    if (typeof capacity !== "number") return "has no capacity";
    if (!Array.isArray(queues) || !queues.every(isId)) return "has no list of queues";
    if (typeof isDraining !== "boolean") return "does not say whether it drains";
    if (typeof changedAt !== "number") return "does not say when it changed";
    return states.some((known) => known === state) ? null : `is in the unknown state ${String(state)}`;
  },

  // A record may hold fields that this version does not know; they are part of what masters must agree on.
  digestOf: (worker) => ({ ...worker, probe: worker.probe && { ...worker.probe } }),

  toEvent: (id, worker) => ({ event: "worker", data: worker ?? { id, isForgotten: true } }),
} as const satisfies Collection<WorkerRecord>;
