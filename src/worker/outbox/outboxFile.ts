/** The outbox's file format: how records are written, and how what a crash or a failing disk left of them is read. */
import { crc32 } from "node:zlib";
import type { TaskId } from "../../model/ids.ts";
import type { AttemptRef, ResultItem } from "../../model/protocol.ts";

/** What each outbox file begins with. */
export const outboxMagic = Buffer.from("outlast-outbox 1\n");

/** Length of the payload, CRC-32 of that length, CRC-32 of the payload; each 4 bytes, little-endian. */
const headBytes = 12;

export type OutboxRecord =
  | { readonly kind: "put"; readonly results: readonly ResultItem[] }
  | { readonly kind: "remove"; readonly attempts: readonly AttemptRef[] };

/** @param texts the JSON texts of results */
export function encodePut(texts: readonly string[]): Buffer {
  return encode(`{"put":[${texts.join(",")}]}`);
}

export function encodeRemove(attempts: readonly AttemptRef[]): Buffer {
  return encode(JSON.stringify({ remove: attempts.map(({ task, attempt }) => [task, attempt]) }));
}

function encode(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const record = Buffer.allocUnsafe(headBytes + length);
  record.writeUInt32LE(length, 0);
  record.writeUInt32LE(crc32(record.subarray(0, 4)), 4);
  record.write(payload, headBytes);
  record.writeUInt32LE(crc32(record.subarray(headBytes)), 8);
  return record;
}

export interface OutboxRecords {
  readonly records: readonly OutboxRecord[];
  /** Where the last whole record ends: what stands behind it was never finished. */
  readonly goodBytes: number;
}

/** Not what this program wrote: neither whole nor merely unfinished. */
export class DamagedAt extends Error {
  constructor(position: number, what: string) {
    super(`${what} at byte ${position}`);
    this.name = "DamagedAt";
  }
}

/**
 * Reads all whole records. An unfinished one at the end is passed over: the process died in the middle of writing it, so nobody
 * was told that it was kept. Everything else that does not fit is damage, and no guess is made about what comes after it.
 * @throws DamagedAt
 */
export function decodeRecords(file: Buffer): OutboxRecords {
  const end = writtenBytes(file);
  const start = outboxMagic.length;
  if (end < start) {
    if (!file.subarray(0, end).equals(outboxMagic.subarray(0, end))) throw new DamagedAt(0, "This is no outbox");
    return { records: [], goodBytes: 0 };
  }
  if (!file.subarray(0, start).equals(outboxMagic)) throw new DamagedAt(0, "This is no outbox of this version");
  const records: OutboxRecord[] = [];
  let position = start;
  while (end - position >= headBytes) {
    const length = file.readUInt32LE(position);
    // The length has a check of its own: a damaged one would pass for an unfinished record and hide all that follow.
    if (crc32(file.subarray(position, position + 4)) !== file.readUInt32LE(position + 4)) {
      throw new DamagedAt(position, "The length of a record is damaged");
    }
    const payload = file.subarray(position + headBytes, Math.min(end, position + headBytes + length));
    if (payload.length < length) break;
    if (crc32(payload) !== file.readUInt32LE(position + 8)) throw new DamagedAt(position, "A record is damaged");
    records.push(toRecord(payload.toString(), position));
    position += headBytes + length;
  }
  return { records, goodBytes: position };
}

/**
 * Where the last byte that is not zero ends. After a power loss a file may have grown by blocks that were never filled; whole
 * records end in `}`, so no zeros at the end belong to one.
 */
function writtenBytes(file: Buffer): number {
  let end = file.length;
  while (end > 0 && file[end - 1] === 0) end -= 1;
  return end;
}

function toRecord(text: string, position: number): OutboxRecord {
  const body = JSON.parse(text) as { put?: ResultItem[]; remove?: [TaskId, number][] };
  if (body.put !== undefined) return { kind: "put", results: body.put };
  if (body.remove !== undefined)
    return { kind: "remove", attempts: body.remove.map(([task, attempt]) => ({ task, attempt })) };
  throw new DamagedAt(position, "A record says nothing known");
}
