/** The collection `webhooks`: who is told of what, with how many deliveries wait. */
import { isId } from "../ids.ts";
import type { WebhookRecord } from "../webhooks/webhook.ts";
import { type Collection, isObject } from "./collection.ts";

export const webhooks = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (!isId(value["name"]) || value["name"] !== id) return "has a name that is not its id";
    if (!isObject(value["content"]) || typeof value["content"]["url"] !== "string") return "has no receiver";
    if (typeof value["secret"] !== "string") return "has no secret";
    const count = ["madeIn", "pending", "delivered", "givenUp", "dropped", "lateUntil"].find(
      (name) => !Number.isSafeInteger(value[name]),
    );
    return count === undefined ? null : `has no number ${count}`;
  },

  digestOf: ({
    madeIn,
    fingerprint,
    pending,
    delivered,
    givenUp,
    dropped,
    lateUntil,
    lateUntilId,
    isRemoved = false,
  }) => ({
    ...{ madeIn, fingerprint, pending, delivered, givenUp, dropped, lateUntil, lateUntilId, isRemoved },
  }),

  toEvent: () => null,
} as const satisfies Collection<WebhookRecord>;
