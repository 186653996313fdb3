/** The collection `audit`: who changed what. It is only in the store; the newest record has the smallest id. */
import type { AuditRecord } from "../principals/audit.ts";
import { type Collection, isObject } from "./collection.ts";

export const audit = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: false,

  problemOf(_id, value) {
    if (!isObject(value)) return "is not an object";
    if (typeof value["by"] !== "string" || typeof value["action"] !== "string") return "does not say who did what";
    return value["outcome"] === "done" || value["outcome"] === "refused" ? null : "has no outcome";
  },

  digestOf: (_record: AuditRecord) => null,

  toEvent: () => null,
} as const satisfies Collection<AuditRecord>;
