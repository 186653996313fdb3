/** The collection `tokens`: secrets of programs, kept as hashes. */
import { isId } from "../ids.ts";
import { isRole, problemOfQueues } from "../principals/principal.ts";
import type { TokenRecord } from "../principals/records.ts";
import { type Collection, isObject } from "./collection.ts";

const sha256 = /^[0-9a-f]{64}$/;

export const tokens = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (!isId(value["name"]) || value["name"] !== id) return "has a name that is not its id";
    if (!isRole(value["role"])) return "has an unknown role";
    if (typeof value["hash"] !== "string" || !sha256.test(value["hash"])) return "has no hash";
    return problemOfQueues(value["queues"]);
  },

  digestOf: ({ name, role, queues, hash, expiresAt, lastUsedAt }) => ({
    ...{ name, role, hash },
    ...{ queues: queues ?? null, expiresAt: expiresAt ?? null, lastUsedAt: lastUsedAt ?? null },
  }),

  toEvent: () => null,
} as const satisfies Collection<TokenRecord>;
