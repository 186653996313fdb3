/** The file that holds one attempt's output until a master has it: whose it is, then its pieces in order. */
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LoggedAttempt } from "../../model/protocol.ts";

/** Where a piece stands in its file. Its bounds never change, or a master could not tell that it has it already. */
export interface SpooledPiece {
  /** Position of its first byte in the attempt's log. */
  readonly offset: number;
  readonly at: number;
  readonly length: number;
  readonly isTruncated: boolean;
  /** Position of its first byte in the file. */
  readonly position: number;
}

/** Length of the piece (4 bytes), when it came (8, ms since 1970 as a double), 1 if the log was cut after it (1). */
const headBytes = 13;

export function encodeOwner({ task, attempt, assignedAt }: LoggedAttempt): Buffer {
  return Buffer.from(`${JSON.stringify({ task, attempt, assignedAt })}\n`);
}

/** Adds a piece, after `prefix` for the first one of a file. @returns how many bytes the file grew by */
export function appendPiece(
  path: string,
  prefix: Buffer | null,
  at: number,
  isTruncated: boolean,
  bytes: Uint8Array,
): number {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(bytes.length, 0);
  head.writeDoubleLE(at, 4);
  head.writeUInt8(isTruncated ? 1 : 0, 12);
  const record = Buffer.concat(prefix === null ? [head, bytes] : [prefix, head, bytes]);
  appendFileSync(path, record, { mode: 0o600 });
  return record.length;
}

/** @throws if the file is not there or shorter than it was */
export function readPiece(path: string, { position, length }: SpooledPiece): Uint8Array {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(length);
    if (readSync(file, bytes, 0, length, position) < length) throw new Error(`${path} is shorter than it was`);
    return bytes;
  } finally {
    closeSync(file);
  }
}

export interface SpoolFileContent {
  readonly owner: LoggedAttempt;
  readonly pieces: readonly SpooledPiece[];
}

/** What a file that an earlier process left holds; an unfinished piece at its end is passed over. Null if it says nothing. */
export function readSpoolFile(path: string): SpoolFileContent | null {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(4 * limits.idLengthMax);
    const line = start.toString("latin1", 0, readSync(file, start, 0, start.length, 0)).split("\n", 1)[0] ?? "";
    const owner = parseOwner(line);
    if (owner === null) return null;
    return { owner, pieces: readHeads(file, line.length + 1, fstatSync(file).size) };
  } finally {
    closeSync(file);
  }
}

function readHeads(file: number, start: number, size: number): SpooledPiece[] {
  const pieces: SpooledPiece[] = [];
  const head = Buffer.alloc(headBytes);
  let offset = 0;
  let position = start;
  while (readSync(file, head, 0, headBytes, position) === headBytes) {
    const length = head.readUInt32LE(0);
    if (length > limits.logChunkBytesMax || position + headBytes + length > size) break;
    const isTruncated = head.readUInt8(12) === 1;
    pieces.push({ offset, at: head.readDoubleLE(4), length, isTruncated, position: position + headBytes });
    offset += length;
    position += headBytes + length;
  }
  return pieces;
}

function parseOwner(line: string): LoggedAttempt | null {
  try {
    const { task, attempt, assignedAt } = JSON.parse(line) as { [field in keyof LoggedAttempt]?: unknown };
    if (typeof task !== "string" || typeof attempt !== "number") return null;
    // Files of earlier versions do not say when the attempt was assigned.
    return { task: task as TaskId, attempt, ...(typeof assignedAt === "number" && { assignedAt }) };
  } catch {
    // The process died before the line was whole: nothing can follow it.
  }
  return null;
}
