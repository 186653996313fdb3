/** The collection `undelivered`: the last deliveries of each webhook that were given up. They are only in the store. */
import type { UndeliveredRecord } from "../webhooks/delivery.ts";
import { type Collection, isObject } from "./collection.ts";

export const undelivered = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: false,

  problemOf(_id, value) {
    if (!isObject(value)) return "is not an object";
    if (typeof value["webhook"] !== "string" || typeof value["type"] !== "string")
      return "says neither what nor for whom";
    return typeof value["id"] === "string" && Number.isSafeInteger(value["givenUpAt"]) ? null : "does not say when";
  },

  digestOf: (_record: UndeliveredRecord) => null,

  toEvent: () => null,
} as const satisfies Collection<UndeliveredRecord>;
