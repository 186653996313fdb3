/** Which delivery is due next, whatever the order in which commits and pages of the store tell of them. */
import { expect, test } from "vitest";
import { type DeliveryRecord, deliveryWaitMs } from "../../model/webhooks/delivery.ts";
import type { WebhookRecord } from "../../model/webhooks/webhook.ts";
import { DeliveryQueue } from "./deliveryQueue.ts";

const webhook = { name: "a", madeIn: 1, pending: 1 } as WebhookRecord;
const delivery: DeliveryRecord = { webhook: "a", madeIn: 1, at: 5, type: "test" };

test("a delivery that was read before its own commit was known is not sent again because of that", () => {
  const queue = new DeliveryQueue(webhook);
  queue.beginReading();
  queue.noteRead([{ id: "a@1", value: delivery }], false, 10);
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

test("a delivery that an earlier leader put off, with a clock far ahead, waits no longer than once more", () => {
  const queue = new DeliveryQueue(webhook);
  const hour = 3_600_000;
  queue.beginReading();
  queue.noteRead([{ id: "a@1", value: { ...delivery, tries: 1, nextAt: hour, problem: "refused" } }], false, 10);
  const waitMs = deliveryWaitMs("a@1", 1);
  expect(waitMs).toBeLessThan(hour / 100);
  expect(queue.next(9 + waitMs)).toBeNull();
  expect(queue.next(10 + waitMs)?.id).toBe("a@1");
});
