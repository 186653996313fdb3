/** What a submission from the command line takes besides its tasks, and the flags of all kinds of tasks. */
import { Option } from "commander";
import { OutlastError } from "../model/errors.ts";
import type { RunCondition } from "../model/graphs/conditions.ts";
import { limits } from "../model/limits.ts";
import type { Submission } from "../model/submission.ts";
import type { OnConflict } from "../model/task.ts";
import type { SubmitOptions } from "../sdk/callOptions.ts";
import { duration, numberFrom, wholeNumber } from "./arguments.ts";
import type { Context } from "./context.ts";
import { withAdvice } from "./failure.ts";

/** Flags that set a field of a submission, whatever its kind. Durations in ms, instants in ms since 1970. */
export interface FieldFlags {
  readonly queue?: string;
  readonly priority?: number;
  readonly requires?: readonly string[];
  readonly broadcast?: boolean;
  readonly startAt?: number;
  readonly after?: readonly string[];
  readonly runIf?: RunCondition;
  readonly concurrencyKey?: string;
  readonly concurrencyMax?: number;
  readonly uniqueKey?: string;
  readonly onConflict?: OnConflict;
  readonly expiresAt?: number;
  readonly deadline?: number;
  readonly attemptsMax?: number;
  readonly killsMax?: number;
  readonly backoffBase?: number;
  readonly backoffFactor?: number;
  readonly backoffMax?: number;
  readonly timeout?: number;
}

export const fieldOfFlag: { readonly [flag in keyof FieldFlags]-?: keyof Submission } = {
  ...{ queue: "queue", priority: "priority", requires: "requires", broadcast: "broadcast", startAt: "startAt" },
  ...{ after: "after", runIf: "runIf", concurrencyKey: "concurrencyKey", concurrencyMax: "concurrencyMax" },
  ...{ uniqueKey: "uniqueKey", onConflict: "onConflict", expiresAt: "expiresAt", deadline: "deadlineMs" },
  ...{ attemptsMax: "attemptsMax", killsMax: "killsMax", timeout: "timeoutMs" },
  ...{ backoffBase: "backoffBaseMs", backoffFactor: "backoffFactor", backoffMax: "backoffMaxMs" },
};

/** How often a task is tried, and what lies between. */
export const retryOptions = {
  killsMax: new Option("--kills-max <n>", "how often its worker may be lost; default: any number of times").argParser(
    wholeNumber(0, limits.killsMaxMax),
  ),
  backoffBase: new Option(
    "--backoff-base <duration>",
    "how long to wait after the first failed attempt; default: 1s",
  ).argParser(duration),
  backoffFactor: new Option(
    "--backoff-factor <n>",
    "how many times longer to wait after each further one; default: 2",
  ).argParser(numberFrom(1, limits.backoffFactorMax)),
  backoffMax: new Option("--backoff-max <duration>", "how long to wait at most; default: 5m").argParser(duration),
};

export function commonFields(flags: FieldFlags): Partial<Submission> {
  const given = Object.entries(fieldOfFlag).flatMap(([flag, field]) => {
    const value = flags[flag as keyof FieldFlags];
    return value === undefined ? [] : [[field, value]];
  });
  return Object.fromEntries(given) as Partial<Submission>;
}

/** Inside of an attempt, and in other programs that take part in traces, TRACEPARENT names what this submission belongs to. */
export function keyAndSignal({ signal }: Context, { key }: { readonly key?: string }): SubmitOptions {
  const traceparent = process.env["TRACEPARENT"];
  return { signal, ...(key !== undefined && { key }), ...(traceparent !== undefined && { traceparent }) };
}

/** Where it is not known whether the task was created, says how to ask for it again. */
export function sayHowToRepeat(error: unknown): never {
  const { mayBeDone, key } = error instanceof OutlastError ? error.details : {};
  if (!(error instanceof OutlastError) || mayBeDone !== true || typeof key !== "string") throw error;
  throw withAdvice(error, `The same command with --key ${key} creates the task once.`);
}
