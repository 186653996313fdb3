/** The collection `users`: people who sign in with a password. */
import { isId } from "../ids.ts";
import { isRole, problemOfQueues } from "../principals/principal.ts";
import type { UserRecord } from "../principals/records.ts";
import { type Collection, isObject } from "./collection.ts";

export const users = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (!isId(value["name"]) || value["name"] !== id) return "has a name that is not its id";
    if (!isRole(value["role"])) return "has an unknown role";
    if (!isObject(value["password"]) || value["password"]["algorithm"] !== "argon2id") return "has no password";
    if (!Number.isSafeInteger(value["changedAt"])) return "does not say when it changed";
    return problemOfQueues(value["queues"]);
  },

  digestOf: ({ name, role, queues, password, changedAt }) => ({
    ...{ name, role, changedAt },
    ...{ queues: queues ?? null, hash: password.hash },
  }),

  // Nobody but masters is told: a password is in it.
  toEvent: () => null,
} as const satisfies Collection<UserRecord>;
