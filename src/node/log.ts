/** The log of a process: JSON lines by pino, or coloured text in a terminal. */
import { isatty } from "node:tty";
import { pino, stdSerializers } from "pino";
import { limits } from "../model/limits.ts";
import type { Log } from "../ports/log.ts";
import { openLogDestination } from "./logDestination.ts";
import { prettyLine } from "./logFormat.ts";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ["pretty", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LogOptions {
  /** The name of the process: `master-1`, `worker-3`. */
  readonly name: string;
  readonly level?: LogLevel;
  /** Default: pretty if stderr is a terminal, else json. */
  readonly format?: LogFormat;
  /** Default: true in a terminal, unless `NO_COLOR` is set. */
  readonly hasColor?: boolean;
}

/**
 * A log that goes to stderr. It never holds up the process, nor its exit: if the reader is slow, up to
 * `limits.logBufferBytesMax` wait and later lines are lost, and so are lines that a full disk does not take.
 */
export function createLog(options: LogOptions): Log {
  const isTerminal = isatty(2);
  const format = options.format ?? (isTerminal ? "pretty" : "json");
  const hasColor = options.hasColor ?? (isTerminal && !process.env["NO_COLOR"]);
  const destination = openLogDestination(2, limits.logBufferBytesMax);
  process.on("exit", () => destination.flush());
  const stream =
    format === "json" ? destination : { write: (line: string) => destination.write(prettyLine(line, hasColor)) };
  return createLogTo(stream, options.name, options.level ?? "info");
}

/** A log whose JSON lines go to `stream`. */
export function createLogTo(stream: { write(line: string): void }, name: string, level: LogLevel): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid, process: name },
      formatters: { level: (label) => ({ level: label }) },
      // An error always comes with its stack, under whichever of its two usual names it is passed.
      serializers: { err: stdSerializers.errWithCause, error: stdSerializers.errWithCause },
    },
    stream,
  );
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  };
}
