/** What the times of a task's attempts say of attempts that ran beside each other. */
import { limits } from "../../../../src/model/limits.ts";
import type { Attempt } from "../../api/schema.ts";
import { durationText } from "../../parts/time.tsx";

/**
 * Sentences about one attempt: how long it ran beside which other, and where that cannot be known.
 * @param attempts of the same task
 * @param now in ms since 1970, the end of what still runs
 */
export function besideTexts(attempt: Attempt, attempts: readonly Attempt[], now: number): readonly string[] {
  const texts = attempts.flatMap((other) => {
    const ms = sharedMs(attempt, other, now);
    return ms > 0 ? [`ran ${durationText(ms)} beside attempt ${other.attempt}`] : [];
  });
  const next = attempts.find((other) => other.attempt === attempt.attempt + 1);
  const isUnsure = attempt.outcome === "killed" && next !== undefined && next.worker !== attempt.worker;
  // A killed attempt ends in its record when its worker is given up, which is not when its process ends.
  return isUnsure && texts.length === 0
    ? [`may have run beside attempt ${next.attempt}: when its process ended is not recorded`]
    : texts;
}

/** In ms; 0 where clocks of different workers could as well be the reason. */
function sharedMs(one: Attempt, other: Attempt, now: number): number {
  if (one.attempt === other.attempt) return 0;
  const from = Math.max(beginOf(one), beginOf(other));
  const ms = Math.min(one.endedAt ?? now, other.endedAt ?? now) - from;
  return ms > (one.worker === other.worker ? 0 : limits.clockDifferenceMsMax) ? ms : 0;
}

function beginOf({ startedAt, assignedAt }: Attempt): number {
  return startedAt ?? assignedAt;
}
