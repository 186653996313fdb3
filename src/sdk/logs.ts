/** Reading what a task's attempts wrote, once or as it is written. */
import { OutlastError } from "../model/errors.ts";
import type { Connection } from "./connection.ts";
import type { FetchAnswer } from "./fetch.ts";
import { resumedStream } from "./serverEvents.ts";

/** A piece of an attempt's output, or what happened around it. */
export type LogItem =
  | { readonly kind: "log"; readonly attempt: number; readonly offset: number; readonly bytes: Uint8Array }
  /** So many bytes have not come; null where nobody knows how many, since the worker was lost. It may bring them when it comes back. */
  | { readonly kind: "missing"; readonly attempt: number; readonly bytes: number | null }
  /** The log was cut here: the attempt wrote more than is kept. */
  | { readonly kind: "truncated"; readonly attempt: number }
  /** Another attempt has begun; what follows is its output. */
  | { readonly kind: "attempt"; readonly attempt: number };

export interface LogsOptions {
  /** The last one if left out. */
  readonly attempt?: number;
  /** Where to begin, in bytes. */
  readonly offset?: number;
  readonly signal?: AbortSignal;
}

/** Everything that is stored of one attempt's log at this moment. */
export async function* readLogs(
  connection: Connection,
  id: string,
  options: LogsOptions,
): AsyncGenerator<LogItem, void, undefined> {
  let { attempt } = options;
  let offset = options.offset ?? 0;
  for (;;) {
    const query = new URLSearchParams({
      offset: String(offset),
      ...(attempt === undefined ? {} : { attempt: String(attempt) }),
    });
    const { headers, bytes } = await connection.bytes({
      method: "GET",
      path: `/v1/tasks/${encodeURIComponent(id)}/logs?${query.toString()}`,
      headers: { accept: "text/plain, application/json" },
      signal: options.signal,
    });
    // Later pages must come from the same attempt, even when another one has begun.
    attempt = numberIn(headers, "x-outlast-attempt");
    const missing = headers.get("x-outlast-missing");
    const missingBytes = Number(missing ?? 0) || 0;
    if (missing !== null) yield { kind: "missing", attempt, bytes: missing === "some" ? null : missingBytes };
    if (bytes.length > 0) yield { kind: "log", attempt, offset: offset + missingBytes, bytes };
    if (headers.get("x-outlast-truncated") === "true") yield { kind: "truncated", attempt };
    const next = numberIn(headers, "x-outlast-next-offset");
    if (bytes.length === 0 || next <= offset) return;
    offset = next;
  }
}

/** The log as it is written, across attempts and masters, until the task has ended. */
export async function* followLogs(
  connection: Connection,
  id: string,
  options: LogsOptions,
): AsyncGenerator<LogItem, void, undefined> {
  let attempt = options.attempt ?? null;
  let offset = options.offset ?? 0;
  const stream = resumedStream(connection, () => {
    const query = new URLSearchParams({
      follow: "true",
      offset: String(offset),
      ...(attempt === null ? {} : { attempt: String(attempt) }),
    });
    return { path: `/v1/tasks/${encodeURIComponent(id)}/logs?${query.toString()}`, signal: options.signal };
  });
  for await (const item of stream) {
    if (item.kind !== "event") continue;
    switch (item.event) {
      case "log": {
        const piece = JSON.parse(item.data) as {
          attempt: number;
          offset: number;
          text?: string;
          base64?: string;
          isTruncated?: boolean;
        };
        const bytes =
          piece.base64 === undefined ? new TextEncoder().encode(piece.text ?? "") : fromBase64(piece.base64);
        attempt = piece.attempt;
        offset = piece.offset + bytes.length;
        if (bytes.length > 0) yield { kind: "log", attempt, offset: piece.offset, bytes };
        break;
      }
      case "missing": {
        const missing = JSON.parse(item.data) as { attempt: number; offset: number; bytes?: number };
        yield { kind: "missing", attempt: missing.attempt, bytes: missing.bytes ?? null };
        break;
      }
      case "attempt": {
        const next = (JSON.parse(item.data) as { attempt: number }).attempt;
        if (next === attempt) break;
        attempt = next;
        offset = 0;
        yield { kind: "attempt", attempt };
        break;
      }
      case "end":
        return;
      default:
    }
  }
}

function numberIn(headers: FetchAnswer["headers"], name: string): number {
  const value = Number(headers.get(name) ?? Number.NaN);
  if (!Number.isSafeInteger(value))
    throw new OutlastError("internal", `The answer lacks the header ${name}; is that a master of Outlast?`);
  return value;
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
