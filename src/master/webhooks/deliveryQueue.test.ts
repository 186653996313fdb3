/** Which delivery is due next, whatever the order in which commits and pages of the store tell of them. */
import { expect, test } from "vitest";
import type { DeliveryRecord } from "../../model/webhooks/delivery.ts";
import type { WebhookRecord } from "../../model/webhooks/webhook.ts";
import { DeliveryQueue } from "./deliveryQueue.ts";

const webhook = { name: "a", madeIn: 1, pending: 1 } as WebhookRecord;
const delivery: DeliveryRecord = { webhook: "a", madeIn: 1, at: 5, type: "test" };

test("a delivery that was read before its own commit was known is not sent again because of that", () => {
  const queue = new DeliveryQueue(webhook);
  queue.beginReading();
  queue.noteRead([{ id: "a@1", value: delivery }], false);
  const held = queue.next(10);
  expect(held?.id).toBe("a@1");
  held!.isBusy = true;
  queue.note("a@1", { ...delivery });
  expect(queue.next(10)).toBeNull();
  // Its next try is another matter.
  queue.note("a@1", { ...delivery, tries: 1, nextAt: 20, problem: "refused" });
  expect(queue.next(10)).toBeNull();
  expect(queue.next(20)?.delivery.tries).toBe(1);
});
