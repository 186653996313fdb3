/** Divides input files into ranges of bytes, one list per map. Lines need not be known for that; see `wholeLines`. */
import { limits } from "../../model/limits.ts";

export interface InputFile {
  /** A path, or an address. */
  readonly path: string;
  /** In bytes, as it is stored; 0 for a whole one of which nobody tells the size. */
  readonly size: number;
  /** It can only be read from its beginning to its end, so it is not divided: it is compressed, or comes as a stream. */
  readonly isWhole?: true;
}

/** The bytes of a file from `start` to before `end`. */
export interface ByteRange {
  /** The index of the file. */
  readonly file: number;
  readonly start: number;
  readonly end: number;
}

/** Where the range of a whole file ends: how much text there is in it is known when it has been read. */
const endOfWhole = Number.MAX_SAFE_INTEGER;

function weightOf({ size, isWhole }: InputFile): number {
  return isWhole === true && size === 0 ? limits.jobRangeBytesMax : size;
}

/**
 * Divides all files, one after the other, into `maps` ranges of the same size, so that small files share a map and large ones are
 * divided. A whole file belongs to the map that its middle falls to. A map has no range if there are fewer bytes than maps.
 */
export function divide(files: readonly InputFile[], maps: number): ByteRange[][] {
  const total = files.reduce((sum, file) => sum + weightOf(file), 0);
  const bounds = Array.from({ length: maps + 1 }, (_, index) => Math.floor((total / maps) * index));
  bounds[maps] = total;
  const ranges: ByteRange[][] = Array.from({ length: maps }, () => []);
  let map = 0;
  let before = 0;
  const moveTo = (place: number) => {
    while (map < maps - 1 && (bounds[map + 1] ?? total) <= place) map += 1;
  };
  files.forEach((input, file) => {
    const { size, isWhole = false } = input;
    if (isWhole) {
      moveTo(before + weightOf(input) / 2);
      ranges[map]?.push({ file, start: 0, end: endOfWhole });
      before += weightOf(input);
      return;
    }
    for (let start = 0; start < size; ) {
      moveTo(before + start);
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
