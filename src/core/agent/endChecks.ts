/** How an attempt has ended, as masters take it: what they would refuse is cut, or makes the attempt a failure. */
import type { Wait } from "../../model/family.ts";
import { jsonBytes } from "../../model/jsonBytes.ts";
import { limits } from "../../model/limits.ts";
import type { AttemptEnd } from "../../model/protocol.ts";
import { describeJsonProblem, problemOfJson, reportedDepthMax } from "../../model/strictJson.ts";
import type { AttemptError } from "../../model/task.ts";
import { isText, isWhole } from "./contentChecks.ts";

/** The same, or what is reported in its place. */
export function soundEnd<End extends AttemptEnd>(end: End): End {
  const problem = problemOfOutput(end) ?? problemOfWaits(end);
  if (problem !== null) {
    const { output: _o, waits: _w, retryAfterMs: _r, ...rest } = end;
    return { ...rest, outcome: "failed", error: problem } as End;
  }
  if (end.error === undefined) return end;
  const { retryAfterMs, ...rest } = end;
  const isDelay = typeof retryAfterMs === "number" && retryAfterMs >= 0;
  return {
    ...rest,
    error: soundError(end.error),
    ...(isDelay && { retryAfterMs: Math.min(limits.durationMsMax, Math.round(retryAfterMs)) }),
  } as End;
}

function problemOfOutput({ output }: AttemptEnd): AttemptError | null {
  if (output === undefined) return null;
  const bytes = jsonBytes(output);
  if (bytes > limits.resultBytesMax) {
    const message = `Its output has ${bytes} bytes; ${limits.resultBytesMax} are allowed. Keep what is large as a file (artifact).`;
    return { code: "output-too-large", message };
  }
  const problem = problemOfJson(output, reportedDepthMax);
  return problem === null ? null : final(describeJsonProblem("Its output cannot be kept", problem));
}

function problemOfWaits({ outcome, waits = [] }: AttemptEnd): AttemptError | null {
  if (outcome !== "suspended") return null;
  if (!Array.isArray(waits) || waits.length === 0 || waits.length > limits.waitsMax)
    return final(`It waits for no list of 1 to ${limits.waitsMax} things.`);
  const bad = (waits as readonly Wait[]).find((wait) => !isSound(wait));
  return bad === undefined ? null : final(`It waits for what cannot be waited for: ${describe(bad)}.`);
}

function isSound(wait: Wait | null): boolean {
  if (wait === null || !isText(wait.key, limits.stepKeyLengthMax)) return false;
  switch (wait.kind) {
    case "children":
      return true;
    case "sleep":
      return isWhole(wait.ms, 0, limits.durationMsMax);
    case "signal":
      return isText(wait.name, limits.signalNameLengthMax) && isTime(wait.timeoutMs);
    default:
      wait satisfies never;
      return false;
  }
}

function isTime(timeoutMs: number | undefined): boolean {
  return timeoutMs === undefined || isWhole(timeoutMs, 0, limits.durationMsMax);
}

function describe(wait: Wait): string {
  return JSON.stringify(wait).slice(0, limits.nameLengthMax).toWellFormed();
}

function final(message: string): AttemptError {
  return { code: "non-retryable", message: cut(message, limits.errorMessageLengthMax) };
}

function soundError(error: Partial<AttemptError> | null): AttemptError {
  const { code, message } = error ?? {};
  return { code: cut(code, limits.nameLengthMax), message: cut(message, limits.errorMessageLengthMax) };
}

/** The code of a task may have put anything there. */
function cut(text: unknown, lengthMax: number): string {
  return (typeof text === "string" ? text : (JSON.stringify(text) ?? "")).slice(0, lengthMax).toWellFormed();
}
