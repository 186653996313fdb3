/** Deliveries: one event on its way to one receiver, from the entry in which it happened until it is acknowledged or given up. */
import { finishHash, hashNumber, hashSeed, hashText } from "../hash.ts";
import type { TaskId } from "../ids.ts";
import { defaults, limits } from "../limits.ts";
import type { FinalState, TaskState } from "../task.ts";

export type EventType = `task.${FinalState}` | "task.late" | "schedule.late" | "alarm" | "test";

/**
 * mass-loss       many workers have lost their connections at once
 * suspect-task    a task has lost its worker again and again
 * no-worker       tasks wait that no connected worker can run
 * worker-trouble  the machine of a worker cannot run tasks
 * store           the store did not answer for some time
 * clock           the leader's clock was set, or its machine stood still
 */
export const alarmKinds = ["mass-loss", "suspect-task", "no-worker", "worker-trouble", "store", "clock"] as const;
export type AlarmKind = (typeof alarmKinds)[number];

/** What has happened, as far as the leader's memory knew it. */
export interface WebhookEvent {
  readonly type: EventType;
  /** When it was decided. */
  readonly at: number;
  readonly queue?: string;
  readonly task?: TaskId;
  readonly state?: TaskState;
  /** The attempt with which the task has ended; 0 if it had none. */
  readonly attempt?: number;
  /** When it was to start. */
  readonly dueAt?: number;
  /** Of a schedule: missed ticks, the first and the last one. */
  readonly schedule?: {
    readonly name: string;
    readonly from: number;
    readonly to: number;
    readonly isSkipped: boolean;
  };
  /** Of a schedule: what its tasks are called, and the template that they are made from. */
  readonly name?: string;
  readonly template?: string;
  readonly alarm?: {
    /** Left out in deliveries of versions that knew of one kind only. */
    readonly kind?: AlarmKind;
    readonly message: string;
    readonly fields: { readonly [name: string]: string | number };
  };
}

/** A record of the collection `deliveries`; see `deliveryId`. */
export interface DeliveryRecord extends WebhookEvent {
  readonly webhook: string;
  /** `madeIn` of that webhook. */
  readonly madeIn: number;
  /** Requests that have failed, and when the next one is due; left out at first. */
  readonly tries?: number;
  readonly nextAt?: number;
  /** Why the last one has failed. */
  readonly problem?: string;
}

/** A record of the collection `undelivered`; its id is a place among the last that were given up; see `undeliveredId`. */
export interface UndeliveredRecord extends DeliveryRecord {
  /** The id that it had as a delivery. */
  readonly id: string;
  readonly givenUpAt: number;
}

/**
 * delivered  the receiver has said so
 * failed     it is tried again, or given up if it is too old
 * skipped    nobody wants it: a filter does not let it through, or its webhook is gone
 * lost       it cannot be delivered, whenever it is tried
 */
export interface DeliveryOutcome {
  readonly id: string;
  /** As it was when it was tried. */
  readonly delivery: DeliveryRecord;
  readonly result: "delivered" | "failed" | "skipped" | "lost";
  readonly problem?: string;
}

const seqDigits = 16;
const indexDigits = 5;

/** In the order of the ids, the deliveries of a webhook are in the order of their events. Names hold no @. */
export function deliveryId(webhook: string, seq: number, index: number): string {
  return `${deliveryPrefix(webhook)}${String(seq).padStart(seqDigits, "0")}-${String(index).padStart(indexDigits, "0")}`;
}

export function deliveryPrefix(webhook: string): string {
  return `${webhook}@`;
}

/** The n-th delivery that was given up, from 0 on, takes the place of an old one. */
export function undeliveredId(webhook: string, n: number): string {
  return `${deliveryPrefix(webhook)}${String(n % limits.undeliveredMax).padStart(indexDigits, "0")}`;
}

/** What the header `webhook-id` says: the same in every try, and never the same for another event, also of another cluster. */
export function messageId(incarnation: string, id: string): string {
  const [, place = ""] = id.split("@");
  return `evt_${incarnation.replaceAll(/[^A-Za-z0-9]/g, "").slice(0, 16)}_${place.replaceAll(/(^|-)0+(?=\d)/g, "$1")}`;
}

/** How long a delivery waits after so many failures, with a part that depends on its id. */
export function deliveryWaitMs(id: string, tries: number): number {
  const waitMs = Math.min(limits.deliveryBackoffMsMax, defaults.deliveryBackoffBaseMs * 3 ** Math.min(tries - 1, 20));
  const jitter = finishHash(hashNumber(hashText(hashSeed, id), tries)) % 1000;
  return Math.round(waitMs * (0.75 + jitter / 2000));
}

export function isTooOld({ at }: DeliveryRecord, now: number): boolean {
  return now - at >= defaults.deliveryGiveUpMs;
}
