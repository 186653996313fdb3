/**
 * Reads the lines that belong to a range of bytes: those whose first byte lies in it (the rule of Hadoop's LineRecordReader). So every
 * line belongs to exactly one range, wherever the borders fall.
 */

export interface ByteSource {
  /** Reads up to `target.length` bytes from `position` on. @returns how many; 0 at the end */
  read(target: Buffer, position: number): number | Promise<number>;
}

/** Whole lines, one after the other; the last one of a file may lack its line feed. */
export interface Chunk {
  /** Valid until the next chunk is asked for. */
  readonly bytes: Buffer;
  /** Where it begins in the file. */
  readonly offset: number;
  /** The line is longer than allowed, and this is only its beginning. */
  readonly isCut: boolean;
}

export interface ReadingBounds {
  /** About so many bytes make a chunk. */
  readonly chunkBytes: number;
  readonly lineBytesMax: number;
}

const lineFeed = 10;

export async function* wholeLines(
  source: ByteSource,
  start: number,
  end: number,
  { chunkBytes, lineBytesMax }: ReadingBounds,
): AsyncGenerator<Chunk, void, undefined> {
  if (start >= end) return;
  let buffer = Buffer.allocUnsafeSlow(chunkBytes);
  /** Where the buffer begins in the file, and how much of it is filled. */
  let offset = start === 0 ? 0 : start - 1;
  let filled = 0;
  /** The rest of a line that is passed over: the one before the range, or one that is too long. */
  let isSkipping = start > 0;
  for (;;) {
    const count = await source.read(buffer.subarray(filled), offset + filled);
    const isAtEnd = count === 0;
    filled += count;
    let from = 0;
    if (isSkipping) {
      const feed = buffer.subarray(0, filled).indexOf(lineFeed);
      if (feed === -1) {
        if (isAtEnd) return;
        offset += filled;
        filled = 0;
        continue;
      }
      from = feed + 1;
      isSkipping = false;
      if (offset + from >= end) return;
    }
    const text = buffer.subarray(0, filled);
    // The line that ends at the first line feed from here on is the last one of the range.
    const lastFrom = Math.max(from, end - 1 - offset);
    const lastFeed = lastFrom < filled ? text.indexOf(lineFeed, lastFrom) : -1;
    const until = lastFeed !== -1 ? lastFeed + 1 : isAtEnd ? filled : text.lastIndexOf(lineFeed) + 1;
    if (until > from) yield { bytes: text.subarray(from, until), offset: offset + from, isCut: false };
    if (lastFeed !== -1 || isAtEnd) return;
    const kept = Math.max(from, until);
    buffer.copyWithin(0, kept, filled);
    offset += kept;
    filled -= kept;
    if (filled >= lineBytesMax) {
      yield { bytes: buffer.subarray(0, filled), offset, isCut: true };
      offset += filled;
      filled = 0;
      isSkipping = true;
      // The next line begins behind the range, unless it begins within.
    } else if (filled === buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(buffer.length * 2, lineBytesMax));
      buffer.copy(larger);
      buffer = larger;
    }
  }
}

/** Calls back with each line of a chunk, without its line end (`\n` or `\r\n`). The callback tells where to go on: `false` ends it. */
export function lineAt(bytes: Buffer, from: number): { readonly end: number; readonly next: number } {
  const feed = bytes.indexOf(lineFeed, from);
  const stop = feed === -1 ? bytes.length : feed;
  const end = stop > from && bytes[stop - 1] === 13 ? stop - 1 : stop;
  return { end, next: stop + 1 };
}
