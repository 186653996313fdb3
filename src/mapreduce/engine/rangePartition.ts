/** Partitions by ranges of keys, so that the parts of the output, one after the other, are sorted as a whole. */

import type { Partition } from "./shuffleWriter.ts";

/** Among `boundaries.length + 1` partitions: keys before the first boundary go to 0. Boundaries are sorted by their bytes. */
export function byRange(boundaries: readonly string[]): Partition {
  const sorted = boundaries.map((key) => Buffer.from(key));
  return (bytes, start, end) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const boundary = sorted[middle];
      // By the bytes of the key, as parts are sorted: it need not be UTF-8.
      if (boundary !== undefined && bytes.compare(boundary, 0, boundary.length, start, end) >= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/**
 * Keys that divide a sample into parts of about the same size; fewer than `partitions - 1` if keys repeat. Of each only so much as tells it
 * from the key before it: all tasks of a job hold them.
 */
export function boundariesOf(sample: readonly string[], partitions: number): string[] {
  const sorted = sample.map((key) => Buffer.from(key)).sort((one, other) => Buffer.compare(one, other));
  const boundaries: Buffer[] = [];
  for (let part = 1; part < partitions; part += 1) {
    const key = beginningAt(sorted, Math.floor((part * sorted.length) / partitions));
    const last = boundaries.at(-1);
    if (key !== undefined && (last === undefined || Buffer.compare(last, key) < 0)) boundaries.push(key);
  }
  return boundaries.map(String);
}

/** The shortest text that the key there begins with, and that stands behind all smaller keys of the sample. */
function beginningAt(sorted: readonly Buffer[], index: number): Buffer | undefined {
  const key = sorted[index];
  if (key === undefined) return undefined;
  let at = index;
  while (at >= 0 && sorted[at]?.equals(key) === true) at -= 1;
  const before = sorted[at] ?? Buffer.alloc(0);
  let length = 0;
  while (length < before.length && before[length] === key[length]) length += 1;
  length += 1;
  // Not in the middle of a character.
  while (((key[length] ?? 0) & 0xc0) === 0x80) length += 1;
  return key.subarray(0, length);
}
