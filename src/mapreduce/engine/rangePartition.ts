/** Partitions by ranges of keys, so that the parts of the output, one after the other, are sorted as a whole. */

/** The partition of a key among `boundaries.length + 1`: keys before the first boundary go to 0. Boundaries are sorted by their bytes. */
export function rangeOf(key: string, boundaries: readonly Buffer[]): number {
  const bytes = Buffer.from(key);
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const boundary = boundaries[middle];
    if (boundary !== undefined && Buffer.compare(boundary, bytes) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Keys that divide a sample into parts of about the same size; fewer than `partitions - 1` if keys repeat. */
export function boundariesOf(sample: readonly string[], partitions: number): string[] {
  const sorted = sample.map((key) => Buffer.from(key)).sort((one, other) => Buffer.compare(one, other));
  const boundaries: Buffer[] = [];
  for (let part = 1; part < partitions; part += 1) {
    const key = sorted[Math.floor((part * sorted.length) / partitions)];
    const last = boundaries.at(-1);
    if (key !== undefined && (last === undefined || Buffer.compare(last, key) < 0)) boundaries.push(key);
  }
  return boundaries.map(String);
}
