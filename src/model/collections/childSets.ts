/** The collection `childSets`: sets of children that are not over, with the counts of how their children ended. */
import type { ChildSetRecord } from "../family.ts";
import { type Collection, isObject } from "./collection.ts";

export const childSets = {
  // 2: sets that are the nodes of a graph.
  version: 2,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(_id, value) {
    if (!isObject(value)) return "is not an object";
    if (typeof value["parent"] !== "string" || typeof value["key"] !== "string") return "has no parent or no key";
    const counts = ["created", "succeeded", "failed", "cancelled"].map((name) => value[name]);
    if (!counts.every((count) => typeof count === "number")) return "has no counts";
    return typeof value["isSealed"] === "boolean" ? null : "does not say whether it is sealed";
  },

  digestOf: (set) => ({ ...set, firstFailed: set.firstFailed?.id, pace: set.pace && { ...set.pace } }),

  toEvent: () => null,
} as const satisfies Collection<ChildSetRecord>;
