/** Sees, before a database file is opened, that its write-ahead log has lost commits: SQLite goes on without them and says nothing. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";
import { setTimeout } from "node:timers/promises";
import { limits } from "../../model/limits.ts";
import { StoreRefused } from "../../ports/store.ts";
import { pageBytes } from "./connection.ts";
import { isLocked } from "./lockHolder.ts";

const logHeaderBytes = 32;
const frameHeaderBytes = 24;
/** Two copies of the index's header, and how many frames are in the database file already. */
const indexBytes = 100;
const indexVersion = 3_007_000;

/** @see https://sqlite.org/walformat.html @throws StoreRefused */
export async function refuseDamagedLog(path: string): Promise<void> {
  const damage = await findLogDamage(path);
  if (damage === null) return;
  throw new StoreRefused(damage, adviceOnLog(path));
}

export function adviceOnLog(path: string): string {
  const store = `sqlite:${path}`;
  return `Keep copies of ${path}, ${path}-wal and ${path}-shm. Put the log back as it was, or restore the store from a backup. To go on without what is lost: sqlite3 ${path} "PRAGMA wal_checkpoint(TRUNCATE)", then \`outlast doctor --store ${store}\` and \`outlast restored --store ${store}\`.`;
}

/** What is wrong, as sentences; null if SQLite will read all that was committed. Changes nothing. */
export async function findLogDamage(path: string): Promise<string | null> {
  // Where somebody has the file open, SQLite does not read the log anew. And a process that closes a file loses its locks on it.
  if (isLocked(`${path}-shm`)) return null;
  const damage = look(path);
  if (damage === null) return null;
  // Others may have written between what was read first and last. They do not make the same damage appear twice.
  await setTimeout(limits.storeOpenRetryMs);
  return look(path) === damage ? damage : findLogDamage(path);
}

function look(path: string): string | null {
  // First the index: what it knows of is in the log by then.
  const index = readIndex(`${path}-shm`);
  const log = readLog(`${path}-wal`);
  const lost = "What is missing was committed, so the store was left as it is.";
  if (log.isContinued)
    return `${path}-wal, the write-ahead log of the store, is damaged after ${log.frames} pages, and commits follow. ${lost}`;
  if (index === null) return null;
  // A log of which nothing can be read does no harm once all of it is in the file; one of which some can be read does.
  const isShort =
    log.frames === 0 ? index.framesInFile < index.frames : log.salts === index.salts && log.frames < index.frames;
  return isShort
    ? `${path}-wal, the write-ahead log of the store, was removed, cut off or damaged: it has ${log.frames} of ${index.frames} pages, as ${path}-shm tells. ${lost}`
    : null;
}

interface Index {
  /** Of the log that it is about; each beginning of a log has others. */
  readonly salts: string;
  readonly frames: number;
  readonly framesInFile: number;
}

/** Null where there is none that is whole. It is in the byte order of this machine. */
function readIndex(path: string): Index | null {
  const bytes = reading(path, (read) => read(0, indexBytes)) ?? null;
  if (bytes === null || !bytes.subarray(0, 48).equals(bytes.subarray(48, 96))) return null;
  const word = wordsOf(bytes, endianness() === "LE");
  if (word(0) !== indexVersion) return null;
  const sum = add({ a: 0, b: 0 }, bytes.subarray(0, 40), endianness() === "LE");
  if (sum.a !== word(40) || sum.b !== word(44)) return null;
  return { salts: bytes.toString("hex", 32, 40), frames: word(16), framesInFile: word(96) };
}

interface Log {
  readonly salts: string;
  /** Up to the last commit that SQLite will find. */
  readonly frames: number;
  /**
   * True if behind the first damage a commit is followed by a frame that continues it. A commit is synced before the next one is
   * written, so no crash leaves that. A last commit that is damaged looks like one that a crash cut off.
   */
  readonly isContinued: boolean;
}

function readLog(path: string): Log {
  const empty: Log = { salts: "", frames: 0, isContinued: false };
  return reading(path, (read) => readFrames(read)) ?? empty;
}

function readFrames(read: Read): Log | null {
  const header = read(0, logHeaderBytes);
  if (header === null) return null;
  const isLittle = (header.readUInt32BE(0) & 1) === 0;
  let sum = add({ a: 0, b: 0 }, header.subarray(0, 24), isLittle);
  let isWhole = isSum(sum, header, 24);
  const frameBytes = frameHeaderBytes + (isWhole ? header.readUInt32BE(8) : pageBytes);
  const first = read(logHeaderBytes, frameHeaderBytes);
  const salts = isWhole || first === null ? header.toString("hex", 16, 24) : first.toString("hex", 8, 16);
  let frames = 0;
  let afterCommit: Sum | null = isWhole ? null : { a: header.readUInt32BE(24), b: header.readUInt32BE(28) };
  for (let index = 0; ; index += 1) {
    const frame = read(logHeaderBytes + index * frameBytes, frameBytes);
    if (frame === null) return { salts, frames, isContinued: false };
    const isOurs = frame.toString("hex", 8, 16) === salts;
    const isCommit = isOurs && frame.readUInt32BE(4) > 0;
    const follows = (before: Sum) => {
      const next = add(add(before, frame.subarray(0, 8), isLittle), frame.subarray(frameHeaderBytes), isLittle);
      return isOurs && isSum(next, frame, 16);
    };
    if (isWhole) {
      isWhole = follows(sum);
      if (isWhole && isCommit) frames = index + 1;
    } else if (afterCommit !== null && follows(afterCommit)) {
      return { salts, frames, isContinued: true };
    }
    sum = { a: frame.readUInt32BE(16), b: frame.readUInt32BE(20) };
    afterCommit = isCommit ? sum : null;
  }
}

interface Sum {
  readonly a: number;
  readonly b: number;
}

/** The checksum of https://sqlite.org/fileformat2.html#checksum_algorithm, continued over `bytes`. */
function add({ a, b }: Sum, bytes: Buffer, isLittle: boolean): Sum {
  const word = wordsOf(bytes, isLittle);
  let first = a;
  let second = b;
  for (let at = 0; at < bytes.length; at += 8) {
    first = (first + word(at) + second) >>> 0;
    second = (second + word(at + 4) + first) >>> 0;
  }
  return { a: first, b: second };
}

function isSum(sum: Sum, bytes: Buffer, at: number): boolean {
  return sum.a === bytes.readUInt32BE(at) && sum.b === bytes.readUInt32BE(at + 4);
}

function wordsOf(bytes: Buffer, isLittle: boolean): (at: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (at) => view.getUint32(at, isLittle);
}

/** The bytes at a place; null where the file ends before. */
type Read = (at: number, length: number) => Buffer | null;

/** Null if there is no such file. */
function reading<Result>(path: string, use: (read: Read) => Result | null): Result | null {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return null;
  }
  try {
    const { size } = fstatSync(file);
    return use((at, length) => {
      const bytes = Buffer.allocUnsafe(length);
      return at + length <= size && readSync(file, bytes, 0, length, at) === length ? bytes : null;
    });
  } finally {
    closeSync(file);
  }
}
