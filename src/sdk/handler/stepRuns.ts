/** Runs the function of one step: again after a failure, with a bound on its time. */
import { messageOf } from "../../model/thrown.ts";
import type { StepOptions, StepRun } from "./context.ts";
import { isFinalError, NonRetryableError } from "./errors.ts";
import type { HandlerPort } from "./port.ts";

const standard = { attemptsMax: 1, backoffBaseMs: 1000, backoffMaxMs: 60_000 };

/** @throws what the last run threw */
export async function runStep<Result>(
  key: string,
  run: (step: StepRun) => Result | Promise<Result>,
  options: StepOptions,
  abortSignal: AbortSignal,
  port: HandlerPort,
): Promise<Result> {
  const { attemptsMax = standard.attemptsMax, backoffBaseMs = standard.backoffBaseMs, timeoutMs } = options;
  const { backoffMaxMs = standard.backoffMaxMs } = options;
  for (const [name, value, least] of [
    ["attemptsMax", attemptsMax, 1],
    ["backoffBaseMs", backoffBaseMs, 0],
    ["backoffMaxMs", backoffMaxMs, 0],
  ] as const) {
    if (!(value >= least))
      throw new NonRetryableError(`${name} of step "${key}" is ${value}; it must be at least ${least}.`);
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(key, run, attempt, timeoutMs, abortSignal, port);
    } catch (error) {
      if (attempt >= attemptsMax || isFinalError(error) || abortSignal.aborted) throw error;
      const waitMs = Math.min(backoffMaxMs, backoffBaseMs * 2 ** (attempt - 1));
      port.log(`Step "${key}" failed (${attempt} of ${attemptsMax}), next run in ${waitMs} ms: ${messageOf(error)}`);
      await new Promise<void>((resolve) => {
        port.after(waitMs, resolve);
      });
    }
  }
}

async function runOnce<Result>(
  key: string,
  run: (step: StepRun) => Result | Promise<Result>,
  attempt: number,
  timeoutMs: number | undefined,
  abortSignal: AbortSignal,
  port: HandlerPort,
): Promise<Result> {
  if (timeoutMs === undefined) return await run({ attempt, signal: abortSignal });
  const timeout = new AbortController();
  const signal = AbortSignal.any([abortSignal, timeout.signal]);
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = port.after(timeoutMs, () => {
      const error = new Error(`Step "${key}" took longer than ${timeoutMs} ms.`);
      timeout.abort(error);
      reject(error);
    });
  });
  try {
    return await Promise.race([run({ attempt, signal }), late]);
  } finally {
    cancel();
  }
}
