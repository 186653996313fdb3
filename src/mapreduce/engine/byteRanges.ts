/** Divides input files into ranges of bytes, one list per map. Lines need not be known for that; see `wholeLines`. */

export interface InputFile {
  /** A path, or an address. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

/** The bytes of a file from `start` to before `end`. */
export interface ByteRange {
  /** The index of the file. */
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Divides all files, one after the other, into `maps` ranges of the same size, so that small files share a map and large ones are
 * divided. A map has no range if there are fewer bytes than maps.
 */
export function divide(files: readonly InputFile[], maps: number): ByteRange[][] {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const bounds = Array.from({ length: maps + 1 }, (_, index) => Math.floor((total / maps) * index));
  bounds[maps] = total;
  const ranges: ByteRange[][] = Array.from({ length: maps }, () => []);
  let map = 0;
  let before = 0;
  files.forEach(({ size }, file) => {
    for (let start = 0; start < size; ) {
      while (map < maps - 1 && (bounds[map + 1] ?? total) <= before + start) map += 1;
      const end = Math.min(size, (bounds[map + 1] ?? total) - before);
      ranges[map]?.push({ file, start, end });
      start = end;
    }
    before += size;
  });
  return ranges;
}

/** How many maps suit an input: large ranges combine better, small ones are sooner done again. */
export function mapsFor(totalBytes: number, slots: number, rangeBytesMin: number, rangeBytesMax: number): number {
  const range = Math.min(Math.max(totalBytes / (4 * slots), rangeBytesMin), rangeBytesMax);
  return Math.max(1, Math.ceil(totalBytes / range));
}
