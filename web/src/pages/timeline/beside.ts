/** What the times of a task's attempts say of attempts that ran beside each other. */
import { processEndText, sharedMs } from "../../../../src/model/besideAttempts.ts";
import type { Attempt } from "../../api/schema.ts";
import { durationText } from "../../parts/time.tsx";

/** A process that ends so soon after its attempt is not worth a sentence, unless another attempt ran beside it. */
const laterMsMin = 1_000;

/**
 * Sentences about one attempt: how long it ran beside which other, and where that cannot be known.
 * @param attempts of the same task
 * @param now in ms since 1970, the end of what still runs
 */
export function besideTexts(attempt: Attempt, attempts: readonly Attempt[], now: number): readonly string[] {
  const beside = attempts.flatMap((other) => {
    const ms = sharedMs(attempt, other, now);
    return ms > 0 ? [`ran ${durationText(ms)} beside attempt ${other.attempt}`] : [];
  });
  const { endedAt, processEndedAt, outcome, worker } = attempt;
  if (endedAt !== undefined && processEndedAt !== undefined) {
    const isShort = Math.abs(processEndedAt - endedAt) < laterMsMin;
    const text = processEndText(attempt, attempts, now, durationText);
    return text === null || (isShort && beside.length === 0) ? [] : [text];
  }
  const next = attempts.find((other) => other.attempt === attempt.attempt + 1);
  const isUnsure = outcome === "killed" && next !== undefined && next.worker !== worker;
  // A killed attempt ends in its record when its worker is given up, which is not when its process ends.
  return isUnsure && beside.length === 0
    ? [`may have run beside attempt ${next.attempt}: when its process ended is not recorded`]
    : beside;
}
