/** The collection `sessions`: who is signed in. Every master knows them, so they outlive a change of the leader. */
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
    const { tokenHash, isRoot } = value;
    if (tokenHash !== undefined && (typeof tokenHash !== "string" || !sha256.test(tokenHash)))
      return "has a token hash that is none";
    if (isRoot !== undefined && isRoot !== true) return "does not say whether it is of the root token";
    return Number.isSafeInteger(value["expiresAt"]) ? null : "does not say when it expires";
  },

  // Whose it is never changes. Masters before sessions of tokens must come to the same digest.
  digestOf: ({ id, user, expiresAt }) => ({ id, user, expiresAt }),

  toEvent: () => null,
} as const satisfies Collection<SessionRecord>;
