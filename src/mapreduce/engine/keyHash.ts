/** The hash of a key's bytes, from which its partition follows: the same on every worker, in every attempt and every version. */
import { finishHash, hashNumber, hashSeed } from "../../model/hash.ts";

/** With which each hash begins. */
const seed = hashNumber(hashSeed, 0);

/** A signed 32-bit number. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = seed;
  for (let index = start; index < end; index += 1) hash = hashNumber(hash, bytes[index] ?? 0);
  return finishHash(hash) | 0;
}

export function partitionOf(hash: number, partitions: number): number {
  return (hash >>> 0) % partitions;
}
