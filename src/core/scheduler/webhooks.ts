/**
 * The memory of webhooks, and how events become deliveries: an event is written for each webhook that hears of it into the entry
 * in which it happens. Without webhooks nothing of this is looked at.
 */
import { limits } from "../../model/limits.ts";
import type { FinalState } from "../../model/task.ts";
import { type DeliveryRecord, deliveryId, type WebhookEvent } from "../../model/webhooks/delivery.ts";
import { hearsAlarms, hearsOf, hearsOfEnd, type WebhookRecord } from "../../model/webhooks/webhook.ts";
import type { Batch } from "./effects.ts";
import type { LateWatch } from "./lateWatch.ts";
import type { LiveTask } from "./liveTask.ts";
import type { RecordModule } from "./recordModule.ts";

export class LiveWebhook {
  record: WebhookRecord;
  /** While its master leads, of a webhook that hears of what is late: what has yet to start. */
  watch: LateWatch | null = null;
  /** True while its change is not written yet: once for each batch, however many events it hears of. */
  isDirty = false;

  constructor(record: WebhookRecord) {
    this.record = record;
  }
}

export class Webhooks implements RecordModule<WebhookRecord> {
  readonly #byName = new Map<string, LiveWebhook>();
  #dirty: LiveWebhook[] = [];
  /** How many deliveries the entry at hand has. */
  #made = { seq: 0, count: 0 };
  /** True if one of them watches for what is late. */
  isWatching = false;

  put(name: string, record: WebhookRecord | null): void {
    const webhook = this.#byName.get(name);
    if (record === null) this.#byName.delete(name);
    else if (webhook === undefined) this.#byName.set(name, new LiveWebhook(record));
    else webhook.record = record;
  }

  recordOf(name: string): WebhookRecord | null {
    return this.#byName.get(name)?.record ?? null;
  }

  get(name: string): LiveWebhook | undefined {
    return this.#byName.get(name);
  }

  get size(): number {
    return this.#byName.size;
  }

  [Symbol.iterator](): Iterator<LiveWebhook> {
    return this.#byName.values();
  }

  /** Takes a decision into memory; it is written when the batch closes. */
  change(name: string, record: WebhookRecord): void {
    this.put(name, record);
    const webhook = this.#byName.get(name);
    if (webhook === undefined || webhook.isDirty) return;
    webhook.isDirty = true;
    this.#dirty.push(webhook);
  }

  /** A task has ended. A backup counts nowhere. */
  noteEnd(batch: Batch, { id, queue, attempt, backupOf }: LiveTask, state: FinalState): void {
    if (backupOf !== null) return;
    const event = { type: `task.${state}`, task: id, queue: queue.name, state, attempt } as const;
    for (const webhook of this.#byName.values()) {
      if (isThere(webhook) && hearsOfEnd(webhook.record, state, queue.name)) this.tell(batch, webhook, event);
    }
  }

  /** Ticks were missed: they were skipped, or run only now. */
  noteMissed(batch: Batch, queue: string, event: Pick<WebhookEvent, "schedule" | "name" | "template">): void {
    for (const webhook of this.#byName.values()) {
      if (isThere(webhook) && hearsOf(webhook.record, "late", queue))
        this.tell(batch, webhook, { type: "schedule.late", queue, ...event });
    }
  }

  /** True if one of them hears of alarms. */
  get hearAlarms(): boolean {
    for (const webhook of this.#byName.values()) if (isHearing(webhook)) return true;
    return false;
  }

  /** Alarms of the batch are told to those who want to hear of them. */
  noteAlarms(batch: Batch): void {
    const hearing = [...this.#byName.values()].filter(isHearing);
    if (hearing.length === 0) return;
    for (const effect of batch.out.effects) {
      if (effect.kind !== "alarm") continue;
      const { alarm: kind, fields } = effect;
      const message = effect.message.slice(0, limits.deliveryAlarmLengthMax);
      for (const webhook of hearing) this.tell(batch, webhook, { type: "alarm", alarm: { kind, message, fields } });
    }
  }

  /** A task is new, or was there when its master began to lead. */
  watch(task: LiveTask): void {
    for (const webhook of this.#byName.values()) watchStart(webhook, task);
  }

  /** Writes an event for one webhook. @returns the id of the delivery; null if there is no room */
  tell(batch: Batch, webhook: LiveWebhook, event: Omit<WebhookEvent, "at">): string | null {
    const { seq, writes } = batch.out;
    if (this.#made.seq !== seq) this.#made = { seq, count: 0 };
    const { record } = webhook;
    const { name, madeIn, pending } = record;
    if (pending >= limits.deliveriesPendingMax || this.#made.count >= limits.deliveriesPerEntryMax) {
      this.change(name, { ...record, dropped: record.dropped + 1 });
      return null;
    }
    const id = deliveryId(name, seq, this.#made.count);
    this.#made.count += 1;
    const value: DeliveryRecord = { webhook: name, madeIn, at: batch.now, ...event };
    writes.push({ kind: "record", collection: "deliveries", id, value });
    this.change(name, { ...record, pending: pending + 1 });
    return id;
  }

  writeTouched(batch: Batch): void {
    for (const webhook of this.#dirty) {
      webhook.isDirty = false;
      const { record } = webhook;
      // Once its last delivery is gone, nothing of a removed one is left.
      const value = record.isRemoved === true && record.pending === 0 ? null : record;
      if (this.#byName.get(record.name) === webhook) this.put(record.name, value);
      batch.out.writes.push({ kind: "record", collection: "webhooks", id: record.name, value });
    }
    this.#dirty = [];
  }
}

function isHearing(webhook: LiveWebhook): boolean {
  return isThere(webhook) && hearsAlarms(webhook.record);
}

export function isThere({ record }: LiveWebhook): boolean {
  return record.isRemoved !== true;
}

/** A task that has a time to start, and has yet to do so. */
export function watchStart({ watch, record }: LiveWebhook, task: LiveTask): void {
  if (watch === null || record.isRemoved === true || !hearsOf(record, "late", task.queue.name)) return;
  watch.add(task);
}
