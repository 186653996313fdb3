/** The collection `attempts`: attempts that the status of their task no longer tells of. The id is `<task>/<attempt>`. */
import { type AttemptRecord, attemptOutcomes } from "../attemptRecord.ts";
import { type Collection, isObject } from "./collection.ts";

export const attempts = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: true,

  problemOf(_id, value) {
    if (!isObject(value)) return "is not an object";
    const { attempt, worker, assignedAt, endedAt, processEndedAt = 0, outcome } = value;
    if (typeof attempt !== "number" || typeof worker !== "string") return "has no attempt or no worker";
    if (typeof assignedAt !== "number" || typeof endedAt !== "number") return "does not say when it began and ended";
    if (typeof processEndedAt !== "number") return "does not say when its process ended";
    return attemptOutcomes.some((known) => known === outcome) ? null : `has the unknown outcome ${String(outcome)}`;
  },

  digestOf: (_attempt: AttemptRecord) => null,

  toEvent: () => null,

  instantOf: ({ endedAt }) => endedAt ?? null,
} as const satisfies Collection<AttemptRecord>;
