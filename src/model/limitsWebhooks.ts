/** Largest values of what bounds webhooks and what waits to be delivered to them. Part of `limits`. */
import { kibibyte, minute, second } from "./units.ts";

export const webhookLimits = {
  webhooksMax: 10,
  webhookBodyBytesMax: 16 * kibibyte,
  webhookUrlLengthMax: 2_000,
  /** Patterns of names, and of templates, in the filter of one webhook. */
  webhookPatternsMax: 50,
  /** A secret as the Standard Webhooks specification bounds it, in bytes. */
  webhookSecretBytesMin: 24,
  webhookSecretBytesMax: 64,
  /** The shortest time after which what has not started is late. */
  webhookLateMsMin: 1 * second,
  /** Of one webhook. What comes while so many wait is dropped, and counted. */
  deliveriesPendingMax: 100_000,
  /** New deliveries in one entry, for all webhooks; more are dropped, and counted. Each has less than 1 KiB. */
  deliveriesPerEntryMax: 4_000,
  /** Deliveries of one webhook that a leader has in memory; the others wait in the store. */
  deliveriesHeldMax: 200,
  /** Requests to one receiver at a time, and to all of them. */
  deliveriesAtOnceMax: 4,
  deliveriesAtOnceOfAllMax: 16,
  /** Outcomes that are written in one entry. */
  deliveryOutcomesMax: 500,
  /** The message of an error in the body of a delivery. */
  deliveryErrorLengthMax: 1_000,
  deliveryProblemLengthMax: 200,
  deliveryAlarmLengthMax: 400,
  /** Combinations of queue, kind and labels with waiting tasks of which it is looked for a worker: each costs a look at every worker. */
  alarmLanesMax: 500,
  /** Queues or workers that an alarm names. */
  alarmNamesMax: 10,
  /** Deliveries of one webhook that were given up and can still be seen; a later one takes the place of the oldest. */
  undeliveredMax: 1_000,
  /** How long a receiver may take to answer. */
  deliveryWaitMsMax: 15 * second,
  /** The longest waits: of one delivery before it is tried again, and of a receiver that does not answer. */
  deliveryBackoffMsMax: 60 * minute,
  receiverRestMsMax: 5 * minute,
} as const;
