/** What a client may ask for, and the one place where it is checked and becomes a task's spec. */
import { OutlastError } from "./errors.ts";
import { isId, type TaskId } from "./ids.ts";
import type { Json } from "./json.ts";
import { defaults, limits } from "./limits.ts";
import { type TaskKind, type TaskLimits, type TaskSpec, taskKinds } from "./task.ts";

/** One task as a client asks for it. Durations in ms, instants in ms since 1970. */
export interface Submission {
  /** Chosen by the client; asking twice for the same id with the same content is one task. */
  readonly id?: string;
  /** For people; the id if left out. */
  readonly name?: string;
  readonly kind: TaskKind;
  readonly input: Json;
  readonly queue?: string;
  readonly priority?: number;
  readonly startAt?: number;
  readonly attemptsMax?: number;
  readonly killsMax?: number;
  readonly timeoutMs?: number;
  readonly backoffBaseMs?: number;
  readonly backoffFactor?: number;
  readonly backoffMaxMs?: number;
}

export interface SleepInput {
  /** 0 to 366 days; fractions are fine. */
  readonly seconds: number;
}

export interface ExecInput {
  /** The program and its arguments; with `shell`, exactly one string for `/bin/sh -c`. */
  readonly command: readonly string[];
  /** Added to a small environment of the worker's choice. */
  readonly env?: { readonly [name: string]: string };
  readonly cwd?: string;
  readonly shell?: boolean;
}

/** Names that would let a submitter change what the worker itself runs. */
const forbiddenEnvironment = /^(LD_.*|DYLD_.*|NODE_OPTIONS|NODE_PATH|PATH|BASH_ENV|ENV|IFS|OUTLAST_.*)$/;

/**
 * Turns a submission into the spec of a new task.
 * @param path where it stands in the request, as a JSON pointer, for error messages
 * @throws OutlastError `invalid`, with `path` and, where one was passed, `limit`
 */
export function toSpec(
  submission: Submission,
  identity: { id: TaskId; fingerprint: string | null; now: number },
  path = "",
): TaskSpec {
  const { id, fingerprint, now } = identity;
  if (!isId(id)) {
    throw invalid(
      `${path}/id`,
      `An id has 1 to ${limits.idLengthMax} letters, digits and . _ : - only.`,
      "idLengthMax",
    );
  }
  if (!taskKinds.includes(submission.kind)) {
    throw invalid(
      `${path}/kind`,
      `There is no kind of task called ${quote(submission.kind)}; there are ${taskKinds.join(", ")}.`,
    );
  }
  if (submission.name !== undefined) checkName(submission.name, `${path}/name`);
  if (submission.queue !== undefined && !isId(submission.queue)) {
    throw invalid(`${path}/queue`, "A queue's name is made of letters, digits and . _ : - only.", "idLengthMax");
  }
  checkInput(submission.kind, submission.input, `${path}/input`);
  return {
    id,
    name: submission.name ?? id,
    kind: submission.kind,
    input: submission.input,
    queue: submission.queue ?? defaults.queue,
    priority: inRange(
      submission.priority,
      defaults.priority,
      limits.priorityMin,
      limits.priorityMax,
      `${path}/priority`,
      "priorityMax",
      true,
    ),
    createdAt: now,
    startAt: optionalInRange(
      submission.startAt,
      limits.instantMsMin,
      limits.instantMsMax,
      `${path}/startAt`,
      "instantMsMax",
    ),
    limits: toLimits(submission, path),
    fingerprint,
  };
}

function toLimits(submission: Submission, path: string): TaskLimits {
  return {
    attemptsMax: inRange(
      submission.attemptsMax,
      defaults.attemptsMax,
      1,
      limits.attemptsMaxMax,
      `${path}/attemptsMax`,
      "attemptsMaxMax",
      true,
    ),
    killsMax: optionalInRange(submission.killsMax, 0, limits.killsMaxMax, `${path}/killsMax`, "killsMaxMax"),
    timeoutMs: optionalInRange(submission.timeoutMs, 1, limits.durationMsMax, `${path}/timeoutMs`, "durationMsMax"),
    backoffBaseMs: inRange(
      submission.backoffBaseMs,
      defaults.backoffBaseMs,
      0,
      limits.durationMsMax,
      `${path}/backoffBaseMs`,
      "durationMsMax",
      true,
    ),
    backoffFactor: inRange(
      submission.backoffFactor,
      defaults.backoffFactor,
      1,
      100,
      `${path}/backoffFactor`,
      "backoffFactor",
      false,
    ),
    backoffMaxMs: inRange(
      submission.backoffMaxMs,
      defaults.backoffMaxMs,
      0,
      limits.durationMsMax,
      `${path}/backoffMaxMs`,
      "durationMsMax",
      true,
    ),
  };
}

function checkName(name: string, path: string): void {
  if (typeof name !== "string" || name.length === 0 || name.length > limits.nameLengthMax) {
    throw invalid(path, `A name has 1 to ${limits.nameLengthMax} characters.`, "nameLengthMax");
  }
  // Control and direction-changing characters would let a name disguise itself in a table or a log.
  if (!name.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) {
    throw invalid(path, "A name may not hold control, formatting or broken characters.");
  }
}

function checkInput(kind: TaskKind, input: Json, path: string): void {
  if (input === null || typeof input !== "object" || Array.isArray(input)) {
    throw invalid(path, `The input of ${kind} is an object.`);
  }
  switch (kind) {
    case "sleep":
      return checkSleep(input, path);
    case "exec":
      return checkExec(input, path);
    default:
      kind satisfies never;
  }
}

function checkSleep(input: { [key: string]: Json }, path: string): void {
  checkKeys(input, ["seconds"], path);
  const { seconds } = input;
  const secondsMax = limits.durationMsMax / 1000;
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= secondsMax)) {
    throw invalid(`${path}/seconds`, `"seconds" is a number from 0 to ${secondsMax}.`, "durationMsMax");
  }
}

function checkExec(input: { [key: string]: Json }, path: string): void {
  checkKeys(input, ["command", "env", "cwd", "shell"], path);
  const { command, env, cwd, shell } = input;
  if (!Array.isArray(command) || command.length === 0 || command.length > limits.execArgumentsMax) {
    throw invalid(
      `${path}/command`,
      `"command" is a list of 1 to ${limits.execArgumentsMax} strings.`,
      "execArgumentsMax",
    );
  }
  for (const [index, argument] of command.entries()) checkText(argument, `${path}/command/${index}`);
  if (command[0] === "") throw invalid(`${path}/command/0`, "The program's name is empty.");
  if (shell !== undefined && typeof shell !== "boolean") throw invalid(`${path}/shell`, '"shell" is true or false.');
  if (shell === true && command.length !== 1) {
    throw invalid(`${path}/command`, 'With "shell" the command is one string, a line for /bin/sh.');
  }
  if (cwd !== undefined) checkText(cwd, `${path}/cwd`);
  if (env === undefined) return;
  if (
    env === null ||
    typeof env !== "object" ||
    Array.isArray(env) ||
    Object.keys(env).length > limits.execEnvironmentMax
  ) {
    throw invalid(
      `${path}/env`,
      `"env" is an object with at most ${limits.execEnvironmentMax} strings.`,
      "execEnvironmentMax",
    );
  }
  for (const [name, value] of Object.entries(env)) {
    checkText(value, `${path}/env/${name}`);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw invalid(`${path}/env/${name}`, `${quote(name)} cannot name an environment variable.`);
    if (forbiddenEnvironment.test(name))
      throw invalid(`${path}/env/${name}`, `${name} belongs to the worker and cannot be set by a task.`);
  }
}

function checkKeys(object: { [key: string]: Json }, known: readonly string[], path: string): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key))
      throw invalid(`${path}/${key}`, `${quote(key)} is not known here; known are ${known.join(", ")}.`);
  }
}

function checkText(value: Json | undefined, path: string): void {
  // UTF-8 needs at most three bytes for each UTF-16 unit; the exact count would need an encoder, which this layer lacks.
  if (typeof value !== "string" || value.length > limits.stringBytesMax) {
    throw invalid(path, `A string of at most ${limits.stringBytesMax} characters is wanted here.`, "stringBytesMax");
  }
  if (value.includes("\0") || !value.isWellFormed())
    throw invalid(path, "NUL and broken characters are not allowed here.");
}

function inRange(
  value: number | undefined,
  otherwise: number,
  min: number,
  max: number,
  path: string,
  limit: string,
  isWhole: boolean,
): number {
  if (value === undefined) return otherwise;
  if (typeof value !== "number" || !(value >= min && value <= max) || (isWhole && !Number.isInteger(value))) {
    throw invalid(path, `A ${isWhole ? "whole " : ""}number from ${min} to ${max} is wanted here.`, limit);
  }
  return value;
}

function optionalInRange(
  value: number | undefined,
  min: number,
  max: number,
  path: string,
  limit: string,
): number | null {
  return value === undefined ? null : inRange(value, 0, min, max, path, limit, true);
}

function invalid(path: string, message: string, limit?: string): OutlastError {
  return new OutlastError("invalid", message, limit === undefined ? { path } : { path, limit });
}

function quote(text: unknown): string {
  return JSON.stringify(text)?.slice(0, 80) ?? "nothing";
}
