/** The collection `signals`: signals that were sent to unfinished tasks. */

import type { SignalsRecord } from "../family.ts";
import { type Collection, isObject } from "./collection.ts";

export const signals = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (value["task"] !== id) return "has a task that is not its id";
    return Array.isArray(value["pending"]) && Array.isArray(value["delivered"]) ? null : "has no lists of signals";
  },

  digestOf: ({ pending, delivered }) => ({ pending: pending.map(({ id }) => id), delivered }),

  toEvent: () => null,
} as const satisfies Collection<SignalsRecord>;
