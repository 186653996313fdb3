/** Converts an error into a message, a JSON document and an exit code. */
import { inspect } from "node:util";
import { type ErrorCode, OutlastError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import { type ExitCode, exitCodes } from "./exitCodes.ts";
import { problemLines } from "./problemLines.ts";
import { printable } from "./terminalText.ts";

/** The command line is wrong. */
export class UsageError extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** A problem on this machine: a port in use, a directory in use. */
export class LocalFailure extends Error {
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }

  /** Local code throws `OutlastError`, too. Reported as it is, it would look like an error from a master. */
  static from(error: unknown): unknown {
    return error instanceof OutlastError ? new LocalFailure(error.message, error.details.hint ?? null) : error;
  }
}

/** Ends a command early with this exit code, without a message. */
export class Exit extends Error {
  readonly code: ExitCode;

  constructor(code: ExitCode) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export interface Failure {
  readonly exitCode: ExitCode;
  /** Null for no message. */
  readonly message: string | null;
  readonly hint: string | null;
  readonly body: { readonly [key: string]: Json | undefined };
}

export function toFailure(error: unknown): Failure {
  if (error instanceof Exit) return { exitCode: error.code, message: null, hint: null, body: {} };
  if (error instanceof UsageError) return describe(exitCodes.usage, "usage", error.message, error.hint);
  if (error instanceof OutlastError) {
    const { code, message, details } = error;
    const exitCode = code === "unavailable" || code === "not-leader" ? exitCodes.unreachable : exitCodes.refused;
    const hint = hintFor(error);
    const body = { ...details, code, message, ...(hint !== null && { hint }) };
    return { ...describe(exitCode, code, problemLines(error), hint), body };
  }
  if (isSystemError(error)) return describe(exitCodes.failed, error.code, systemSentence(error), null);
  if (error instanceof LocalFailure || hasHint(error))
    return describe(exitCodes.failed, "failed", error.message, error.hint);
  if (isStoreAway(error)) return describe(exitCodes.failed, "failed", error.message, "Try again in a moment.");
  const text = error instanceof Error ? error.message : inspect(error);
  return describe(
    exitCodes.internal,
    "internal",
    `Internal error: ${text}`,
    "This is a bug. Please report it; OUTLAST_DEBUG=1 prints the stack.",
  );
}

/** Writes the failure to stderr, and where it comes from if `OUTLAST_DEBUG` is set. */
export function reportFailure(error: unknown, isJson: boolean): ExitCode {
  const failure = toFailure(error);
  if (failure.message !== null) {
    if (isJson) process.stderr.write(`${JSON.stringify({ error: failure.body })}\n`);
    else {
      const lines = [...failure.message.split("\n"), ...(failure.hint?.split("\n") ?? [])].map(printable);
      process.stderr.write(`outlast: ${lines.join("\n         ")}\n`);
    }
  }
  if (process.env["OUTLAST_DEBUG"] === "1" && !(error instanceof Exit)) process.stderr.write(`${inspect(error)}\n`);
  return failure.exitCode;
}

function describe(exitCode: ExitCode, code: string, message: string, hint: string | null): Failure {
  return { exitCode, message, hint, body: { code, message, ...(hint === null ? {} : { hint }) } };
}

const uncertain = "It may have been done all the same: perhaps only the answer was lost.";

/** The error with this advice as well. */
export function withAdvice(error: OutlastError, advice: string): OutlastError {
  const hint = [hintFor(error), advice].filter((line) => line !== null).join("\n");
  return new OutlastError(error.code, error.message, { ...error.details, hint });
}

function hintFor({ code, details }: OutlastError): string | null {
  const hint = details.hint ?? usualHint(code);
  if (details["mayBeDone"] !== true || hint?.includes(uncertain) === true) return hint;
  return hint === null ? uncertain : `${hint}\n${uncertain}`;
}

function usualHint(code: ErrorCode): string | null {
  return code === "unauthorized"
    ? "Give one that is right with --token-file or OUTLAST_TOKEN, or sign in with `outlast login`."
    : null;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && "syscall" in error && typeof (error as NodeJS.ErrnoException).code === "string";
}

function systemSentence(error: NodeJS.ErrnoException & { code: string }): string {
  const { port } = error as { port?: number };
  if (error.syscall === "uv_cwd") return "The working directory has been deleted. Change to another one (cd) first.";
  switch (error.code) {
    case "EADDRINUSE":
      return `Port ${port ?? "?"} is in use by another program. Stop that program, or choose another port with --port.`;
    case "EADDRNOTAVAIL":
      return "This machine does not have that address. Choose another with --address.";
    case "EACCES":
    case "EPERM":
      return `No permission: ${error.path ?? error.message}.`;
    case "ENOENT":
      return `No such file or directory: ${error.path ?? "unknown"}.`;
    case "EISDIR":
      return `${error.path ?? "That"} is a directory.`;
    case "ENOTDIR":
    case "EEXIST":
      return `${error.path ?? "That"} is not a directory.`;
    case "ENOSPC":
      return "The disk is full.";
    case "EROFS":
      return `${error.path ?? "That place"} is read-only.`;
    default:
      return error.message;
  }
}

/** Its class would bring the stores along, which are loaded only where one is asked for. */
function isStoreAway(error: unknown): error is Error {
  return error instanceof Error && error.name === "StoreUnavailable";
}

/** `StoreRefused` and similar errors, with a message and a hint. */
function hasHint(error: unknown): error is Error & { hint: string } {
  return error instanceof Error && "hint" in error && typeof error.hint === "string";
}
