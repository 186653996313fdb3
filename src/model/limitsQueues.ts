/** Largest values of what bounds how many tasks of a queue, or with one key, run at a time. Part of `limits`. */
import { day } from "./units.ts";

export const queueLimits = {
  concurrencyKeyLengthMax: 200,
  /** Of a queue, or of the tasks with one key. */
  concurrencyMaxMax: 1_000_000,
  /** Tasks that a rate limit allows, and the time in which it allows them. */
  rateCountMax: 1_000_000,
  ratePerMsMax: 7 * day,
  /** Different instants of starts that are kept for a rate limit; beyond that, the last ones count as if they were later. */
  rateInstantsMax: 100,
} as const;
