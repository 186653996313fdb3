/**
 * The file of one map attempt: for each run (a table that was full, and the last one) a segment per partition, then the index of
 * all of them, then the footer. A reduce reads its extents of each run and nothing else.
 */
import { crc32 } from "node:zlib";
import { DamagedSegment, type Extent, type ReadAt } from "./segment.ts";

const magic = 0x31585352;
/** Partitions, runs, CRC-32 of the index, `RSX1`: 4 bytes each, little-endian. */
export const footerBytes = 16;
/** Offset (8 bytes), length (8 bytes), records (4 bytes). */
const extentBytes = 20;

/** Index and footer for `runs`: each has an extent per partition. */
export function encodeIndex(runs: readonly (readonly Extent[])[], partitions: number): Buffer {
  const indexBytes = runs.length * partitions * extentBytes;
  const bytes = Buffer.alloc(indexBytes + footerBytes);
  let at = 0;
  for (const { offset, length, records } of runs.flat()) {
    bytes.writeBigUInt64LE(BigInt(offset), at);
    bytes.writeBigUInt64LE(BigInt(length), at + 8);
    bytes.writeUInt32LE(records, at + 16);
    at += extentBytes;
  }
  bytes.writeUInt32LE(partitions, at);
  bytes.writeUInt32LE(runs.length, at + 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, indexBytes)), at + 8);
  bytes.writeUInt32LE(magic, at + 12);
  return bytes;
}

/** What of a file of `size` bytes belongs to a partition. @throws DamagedSegment */
export async function extentsOf(size: number, partition: number, partitions: number, read: ReadAt): Promise<Extent[]> {
  if (size < footerBytes) throw new DamagedSegment("the file is too short");
  const footer = await read(size - footerBytes, footerBytes);
  if (footer.length < footerBytes || footer.readUInt32LE(12) !== magic)
    throw new DamagedSegment("the file has no index");
  const runs = footer.readUInt32LE(4);
  const indexBytes = runs * partitions * extentBytes;
  const start = size - footerBytes - indexBytes;
  if (footer.readUInt32LE(0) !== partitions || start < 0) throw new DamagedSegment("the index is of another job");
  const index = await read(start, indexBytes);
  if (index.length < indexBytes || crc32(index) !== footer.readUInt32LE(8)) {
    throw new DamagedSegment("the checksum of the index does not match");
  }
  const extents: Extent[] = [];
  for (let run = 0; run < runs; run += 1) {
    const at = (run * partitions + partition) * extentBytes;
    const offset = Number(index.readBigUInt64LE(at));
    const length = Number(index.readBigUInt64LE(at + 8));
    if (length === 0) continue;
    if (offset + length > start) throw new DamagedSegment("the index leads beyond the file");
    extents.push({ offset, length, records: index.readUInt32LE(at + 16) });
  }
  return extents;
}
