/** The deliveries of one webhook that a leader has in memory: which one is due next, and whether more wait in the store. */
import { defaults, limits } from "../../model/limits.ts";
import { type DeliveryRecord, deliveryWaitMs } from "../../model/webhooks/delivery.ts";
import type { WebhookRecord } from "../../model/webhooks/webhook.ts";

/**
 * waiting  for its turn, or for the time of its next try
 * busy     it is being sent, or what came of it is not in the journal yet
 */
export interface HeldDelivery {
  readonly id: string;
  delivery: DeliveryRecord;
  dueAt: number;
  isBusy: boolean;
}

export class DeliveryQueue {
  /** As the journal has it. */
  webhook: WebhookRecord;
  /** Requests that are under way. */
  sending = 0;
  /** Failures since the last success, and until when the receiver is left alone because of them. */
  failures = 0;
  restUntil = 0;
  #held = new Map<string, HeldDelivery>();
  /** The last delivery that was taken into memory; those after it are in the store only. */
  #readTo = "";
  #hasMore: boolean;
  /** While a page is being read: deliveries that came meanwhile may not be in it. */
  #isReading = false;
  #cameMeanwhile = false;

  constructor(webhook: WebhookRecord) {
    this.webhook = webhook;
    this.#hasMore = webhook.pending > 0;
  }

  /** Takes a committed change of one of its deliveries; null: it is gone. */
  note(id: string, delivery: DeliveryRecord | null): void {
    const held = this.#held.get(id);
    if (delivery === null) {
      this.#held.delete(id);
    } else if (held !== undefined) {
      // It was read from the store before its own commit was known here, and may be on its way: to send it again would count it twice.
      if (held.delivery.tries === delivery.tries) return;
      held.delivery = delivery;
      held.dueAt = delivery.nextAt ?? 0;
      held.isBusy = false;
    } else if (id > this.#readTo) {
      if (this.#isReading) this.#cameMeanwhile = true;
      else if (this.#hasMore || this.#held.size >= limits.deliveriesHeldMax) this.#hasMore = true;
      else this.#take(id, delivery);
    }
  }

  /** Where to go on reading, and how many to read at most; null if there is no need. To be followed by `noteRead`. */
  beginReading(): { readonly after: string; readonly limit: number } | null {
    if (!this.#hasMore || this.#isReading || this.#held.size > limits.deliveriesHeldMax / 2) return null;
    this.#isReading = true;
    this.#cameMeanwhile = false;
    return { after: this.#readTo, limit: limits.deliveriesHeldMax - this.#held.size };
  }

  /** @param records null if they could not be read */
  noteRead(
    records: readonly { readonly id: string; readonly value: DeliveryRecord }[] | null,
    isMore: boolean,
    now: number,
  ): void {
    this.#isReading = false;
    if (records === null) return;
    this.#hasMore = isMore || this.#cameMeanwhile;
    for (const { id, value } of records) {
      // A leader before may have had another clock: the wait is never longer than once more.
      if (id > this.#readTo) this.#take(id, value, now + deliveryWaitMs(id, value.tries ?? 1));
    }
  }

  /** The next one whose time has come; null if there is none, or if the receiver is to be left alone. */
  next(now: number): HeldDelivery | null {
    const atOnce = this.failures > 0 ? 1 : limits.deliveriesAtOnceMax;
    if (this.sending >= atOnce || now < this.#restsUntil) return null;
    const first = this.#first();
    return first === null || this.#dueAt(first) > now ? null : first;
  }

  /** When `next` may have one that it has not now; infinite if that depends on what comes. */
  get nextAt(): number {
    const first = this.#first();
    return first === null ? Number.POSITIVE_INFINITY : Math.max(this.#dueAt(first), this.#restsUntil);
  }

  /** What a request has shown of the receiver. */
  noteAnswer(isSuccess: boolean, now: number): void {
    if (isSuccess) {
      // It was away and is back: what waits for a later try is tried now.
      if (this.failures >= failuresOfAbsent) for (const held of this.#held.values()) held.dueAt = 0;
      this.failures = 0;
      this.restUntil = 0;
      return;
    }
    const restMs = Math.min(limits.receiverRestMsMax, defaults.receiverRestMs * 2 ** Math.min(this.failures, 20));
    this.failures += 1;
    this.restUntil = now + restMs;
  }

  /** A receiver that is away is asked again and again whether it is back, whatever with. */
  #dueAt({ dueAt }: HeldDelivery): number {
    return this.failures >= failuresOfAbsent ? 0 : dueAt;
  }

  /** A webhook that was removed has no receiver that could be spared. */
  get #restsUntil(): number {
    return this.webhook.isRemoved === true ? 0 : this.restUntil;
  }

  #take(id: string, delivery: DeliveryRecord, dueAtMax = Number.POSITIVE_INFINITY): void {
    this.#readTo = id;
    this.#held.set(id, { id, delivery, dueAt: Math.min(dueAtMax, delivery.nextAt ?? 0), isBusy: false });
  }

  #first(): HeldDelivery | null {
    let first: HeldDelivery | null = null;
    for (const held of this.#held.values()) {
      if (!held.isBusy && (first === null || held.dueAt < first.dueAt)) first = held;
    }
    return first;
  }
}

/** So many failures in a row are the receiver's, not those of single deliveries. */
const failuresOfAbsent = 3;
