/** The checksum that chains the journal's entries together, so that a damaged or exchanged one is seen. */
// `node:zlib` is the one import from Node in the model: its `crc32` is pure, and a table in JavaScript would be too slow for megabytes.
// What `src/core/` imports must not import this file.
import { crc32 } from "node:zlib";
import type { Entry } from "./entry.ts";

/** CRC-32 of `seq:epoch:nonce:at:format:previousCrc:` followed by the body, as UTF-8. An unsigned 32-bit number. */
export function entryCrc(entry: Omit<Entry, "crc">): number {
  const { seq, epoch, nonce, at, format, previousCrc, body } = entry;
  return crc32(body, crc32(`${seq}:${epoch}:${nonce}:${at}:${format}:${previousCrc}:`));
}
