/** The collection `sessions`: users who are signed in. Every master knows them, so they outlive a change of the leader. */
import type { SessionRecord } from "../principals/records.ts";
import { type Collection, isObject } from "./collection.ts";

const sha256 = /^[0-9a-f]{64}$/;

export const sessions = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (value["id"] !== id || !sha256.test(id)) return "has an id that is not its own";
    if (typeof value["user"] !== "string") return "has no user";
    return Number.isSafeInteger(value["expiresAt"]) ? null : "does not say when it expires";
  },

  digestOf: ({ id, user, expiresAt }) => ({ id, user, expiresAt }),

  toEvent: () => null,
} as const satisfies Collection<SessionRecord>;
