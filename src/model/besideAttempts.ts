/** What the times of a task's attempts say of attempts that ran beside each other, and of processes that went on after their attempt. */
import { limits } from "./limits.ts";

interface RanAttempt {
  readonly attempt: number;
  readonly worker: string;
  readonly assignedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly processEndedAt?: number;
}

/**
 * How long two attempts of a task ran at the same time, in ms; 0 where clocks of different workers could as well be the reason.
 * @param now in ms since 1970, the end of what still runs
 */
export function sharedMs(one: RanAttempt, other: RanAttempt, now: number): number {
  if (one.attempt === other.attempt) return 0;
  const ms = Math.min(realEndOf(one, now), realEndOf(other, now)) - Math.max(beginOf(one), beginOf(other));
  return ms > (one.worker === other.worker ? 0 : limits.clockDifferenceMsMax) ? ms : 0;
}

/**
 * Of an attempt that was given up, in a few words: how much later its process ended, and beside which other attempts.
 * @param attempts of the same task
 * @param textOf a duration in ms, for people
 * @returns null where that is not known, or where the process ended with its attempt
 */
export function processEndText(
  attempt: RanAttempt,
  attempts: readonly RanAttempt[],
  now: number,
  textOf: (ms: number) => string,
): string | null {
  const { endedAt, processEndedAt } = attempt;
  if (endedAt === undefined || processEndedAt === undefined) return null;
  const laterMs = processEndedAt - endedAt;
  if (laterMs < 0) return `its process had ended ${textOf(-laterMs)} before`;
  const beside = attempts.filter((other) => sharedMs(attempt, other, now) > 0).map((other) => other.attempt);
  const others = beside.length === 0 ? "" : `, beside attempt${beside.length === 1 ? "" : "s"} ${beside.join(" and ")}`;
  return `its process ended ${textOf(laterMs)} later${others}`;
}

function beginOf({ startedAt, assignedAt }: RanAttempt): number {
  return startedAt ?? assignedAt;
}

function realEndOf({ processEndedAt, endedAt }: RanAttempt, now: number): number {
  return processEndedAt ?? endedAt ?? now;
}
