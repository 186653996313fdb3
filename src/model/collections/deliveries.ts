/** The collection `deliveries`: events that wait for their receivers. They are only in the store, in the order in which they happened. */
import type { DeliveryRecord } from "../webhooks/delivery.ts";
import { type Collection, isObject } from "./collection.ts";

export const deliveries = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: false,

  problemOf(_id, value) {
    if (!isObject(value)) return "is not an object";
    if (typeof value["webhook"] !== "string" || typeof value["type"] !== "string")
      return "says neither what nor for whom";
    return Number.isSafeInteger(value["at"]) && Number.isSafeInteger(value["madeIn"]) ? null : "does not say when";
  },

  digestOf: (_record: DeliveryRecord) => null,

  toEvent: () => null,
} as const satisfies Collection<DeliveryRecord>;
