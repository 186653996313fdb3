/** What `outlast submit` makes of a kind, its operands and the options that belong to a kind. */
import type { Json, JsonObject } from "../model/json.ts";
import type { Submission } from "../model/submission.ts";
import { parseDuration } from "./duration.ts";
import { boundsOf, type ExecBoundFlags } from "./execBounds.ts";
import { UsageError } from "./failure.ts";

export interface OperandFlags extends ExecBoundFlags {
  readonly name?: string;
  readonly id?: string;
  readonly input?: Json;
  readonly env?: { readonly [name: string]: string };
  readonly secretEnv?: { readonly [name: string]: string };
  readonly cwd?: string;
  readonly shell?: boolean;
}

/** @throws UsageError */
export function toSubmission(kind: string | undefined, operands: readonly string[], flags: OperandFlags): Submission {
  const { name, id, shell } = flags;
  const names = { ...(name === undefined ? {} : { name }), ...(id === undefined ? {} : { id }) };
  switch (kind) {
    case "sleep": {
      refuseInput(kind, flags);
      const [seconds] = operands;
      if (seconds === undefined || operands.length > 1)
        throw new UsageError("sleep takes one number of seconds: outlast submit sleep 5");
      refuseExecOptions(flags);
      return { ...names, kind, input: { seconds: toSeconds(seconds) } };
    }
    case "exec":
      refuseInput(kind, flags);
      if (operands.length === 0) throw new UsageError("exec takes a command: outlast submit exec -- make test");
      return {
        ...names,
        kind,
        input: { command: [...operands], ...processOptions(flags), ...(shell === undefined ? {} : { shell }) },
      };
    case "container": {
      const [image, ...command] = operands;
      if (image === undefined)
        throw new UsageError("container takes an image: outlast submit container docker.io/library/alpine:3.22 -- ls");
      if (shell !== undefined)
        throw new UsageError("--shell is an option of exec.", "Name the shell of the image: … IMAGE -- sh -c 'LINE'");
      const input = { ...inputObject(kind, flags), image, ...processOptions(flags) };
      return { ...names, kind, input: { ...input, ...(command.length > 0 && { command }) } };
    }
    case "remote": {
      const [service] = operands;
      if (service === undefined || operands.length > 1)
        throw new UsageError("remote takes the name of a service: outlast submit remote batch --input JSON");
      refuseExecOptions(flags);
      return { ...names, kind, input: { service, ...(flags.input === undefined ? {} : { job: flags.input }) } };
    }
    case "http": {
      const [url] = operands;
      if (url === undefined || operands.length > 1)
        throw new UsageError("http takes one address: outlast submit http https://example.com/hook");
      refuseExecOptions(flags);
      return { ...names, kind, input: { ...inputObject(kind, flags), url } };
    }
    case undefined:
      throw new UsageError(
        "Missing task kind.",
        "outlast submit sleep 5, outlast submit exec -- make test, or outlast submit --file tasks.jsonl",
      );
    default:
      // A handler: code that some workers have. Whether one of them has it is seen when the task waits.
      if (operands.length > 0)
        throw new UsageError(
          `A task of kind "${kind}" takes its input with --input.`,
          `For a command: outlast submit exec -- ${[kind, ...operands].join(" ")}`,
        );
      return { ...names, kind, input: flags.input ?? {} };
  }
}

/** What commands and containers have alike. */
function processOptions(flags: OperandFlags): JsonObject {
  const { env, secretEnv, cwd } = flags;
  return {
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(secretEnv === undefined ? {} : { secretEnv: { ...secretEnv } }),
    ...(cwd === undefined ? {} : { cwd }),
    ...boundsOf(flags),
  };
}

/** What `--input` adds to operands. */
function inputObject(kind: string, { input = {} }: OperandFlags): JsonObject {
  if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  const example = kind === "http" ? '{"json":{"order":7}}' : '{"cpusMax":2}';
  throw new UsageError(`--input of ${kind} is an object, such as ${example}.`);
}

function refuseExecOptions({ env, secretEnv, cwd, shell, memoryMax, processesMax }: OperandFlags): void {
  if ([env, secretEnv, cwd, shell, memoryMax, processesMax].some((given) => given !== undefined))
    throw new UsageError(
      "--env, --secret-env, --cwd, --shell, --memory-max and --processes-max are options of exec and container.",
    );
}

function refuseInput(kind: string, { input }: OperandFlags): void {
  if (input !== undefined) throw new UsageError(`--input is for handlers; ${kind} takes its input as operands.`);
}

/** A bare number is seconds; a duration with its units will do as well. */
function toSeconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  try {
    return parseDuration(text) / 1000;
  } catch {
    throw new UsageError(`"${text}" is not a number of seconds.`, "Examples: 5, 0.25, 1h30m");
  }
}
