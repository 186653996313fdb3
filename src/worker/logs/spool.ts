/** Output of attempts on its way to a master, on disk so that a long absence of masters costs no memory. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { attemptKey } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LogChunk, LoggedAttempt } from "../../model/protocol.ts";
import type { LogSpool, SpooledPieceRef } from "../../ports/work.ts";
import { appendPiece, encodeOwner, readPiece, readSpoolFile, type SpooledPiece } from "./spoolFile.ts";

/** A sealed piece; its bytes are at hand only from when it was sealed for sending until it is stored. */
interface Piece extends SpooledPiece {
  readonly bytes: Uint8Array | null;
  /** True if the disk has refused it: its bytes are nowhere else. */
  readonly isInMemory: boolean;
}

interface AttemptLog {
  readonly key: string;
  readonly ref: LoggedAttempt;
  readonly path: string;
  /** Sealed, not yet stored by a master, ascending. */
  pieces: Piece[];
  /** Output that is not sealed yet: it may still grow, and is lost if the process is killed. */
  tail: Uint8Array[];
  tailBytes: number;
  tailAt: number;
  /** Bytes in all pieces and the tail. */
  length: number;
  fileBytes: number;
  /** The disk has refused a piece. What follows stays in memory, too: a file must hold its pieces without a gap. */
  isInMemory: boolean;
  isCut: boolean;
  isEnded: boolean;
}

interface SealOptions {
  readonly isTruncated: boolean;
  /** It is about to be sent and need not be read again. */
  readonly keepsBytes: boolean;
}

const whole: SealOptions = { isTruncated: false, keepsBytes: false };

/**
 * One file for each attempt that has printed something; none for the others. A log is cut at `attemptBytesMax`. What the disk
 * refuses stays in memory until a master has it, up to `limits.spoolMemoryBytesMax`; beyond that, output is lost, and the log says
 * so. None of that ends a task. What an earlier process could not send any more is sent.
 */
export class FileLogSpool implements LogSpool {
  readonly #directory: string;
  readonly #attemptBytesMax: number;
  readonly #logs = new Map<string, AttemptLog>();
  /** Those with something to send, the one that has waited longest first. */
  readonly #pending = new Map<string, AttemptLog>();
  /** Bytes of all pieces that are in memory only. */
  #memoryBytes = 0;
  /** What the disk said when it last refused something. */
  #lastRefusal = "";
  #isLoaded = false;

  constructor(directory: string, attemptBytesMax: number = limits.logAttemptBytesMax) {
    this.#directory = directory;
    this.#attemptBytesMax = attemptBytesMax;
  }

  write(attempt: LoggedAttempt, at: number, bytes: Uint8Array): undefined {
    if (bytes.length === 0) return;
    this.#load();
    const log = this.#logOf(attempt);
    if (log.isCut) return;
    const room = this.#attemptBytesMax - log.length;
    this.#append(log, at, bytes.subarray(0, room));
    if (bytes.length > room) this.#seal(log, at, { isTruncated: true, keepsBytes: false });
    this.#pending.set(log.key, log);
  }

  take(maxBytes: number): readonly LogChunk[] {
    this.#load();
    const taken: LogChunk[] = [];
    let bytes = 0;
    for (const log of this.#pending.values()) {
      if (taken.length > 0 && bytes >= maxBytes) return taken;
      if (log.tailBytes > 0) this.#seal(log, log.tailAt, { isTruncated: false, keepsBytes: true });
      for (const piece of log.pieces) {
        if (taken.length > 0 && bytes + piece.length > maxBytes) return taken;
        const content = piece.bytes ?? this.#read(log, piece);
        if (content === null) break;
        const { offset, at, isTruncated } = piece;
        taken.push({ ...log.ref, offset, at, bytes: content, isTruncated });
        bytes += piece.length;
      }
    }
    return taken;
  }

  stored(pieces: readonly SpooledPieceRef[]): void {
    for (const { offset, ...attempt } of pieces) {
      const log = this.#logs.get(logKey(attempt));
      if (log === undefined || log.pieces[0] === undefined || log.pieces[0].offset > offset) continue;
      for (const piece of log.pieces) {
        if (piece.isInMemory && piece.offset <= offset) this.#memoryBytes -= piece.length;
      }
      log.pieces = log.pieces.filter((piece) => piece.offset > offset);
      // It has had its turn: others go before what it has left.
      this.#pending.delete(log.key);
      if (log.pieces.length > 0 || log.tailBytes > 0) this.#pending.set(log.key, log);
      else if (log.isEnded) this.#remove(log);
    }
  }

  end(attempt: LoggedAttempt): number {
    // Most tasks print nothing, and some come in tens of thousands a second.
    if (this.#logs.size === 0) return 0;
    const log = this.#logs.get(logKey(attempt));
    if (log === undefined) return 0;
    log.isEnded = true;
    if (!this.#pending.has(log.key)) this.#remove(log);
    return log.length;
  }

  /** Keeps on disk what has not been sent. */
  close(): true {
    for (const log of this.#pending.values()) if (log.tailBytes > 0) this.#seal(log, log.tailAt, whole);
    this.#logs.clear();
    this.#pending.clear();
    return true;
  }

  /** Not before the first use: another process may hold the directory until this one has been let in. */
  #load(): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    let names: readonly string[] = [];
    try {
      mkdirSync(this.#directory, { recursive: true });
      names = readdirSync(this.#directory);
    } catch {
      // Logs are not worth a worker: what cannot be written stays in memory.
    }
    for (const name of names) {
      try {
        this.#loadFile(join(this.#directory, name));
      } catch {
        // What cannot be read stays where it is, and keeps no other log back.
      }
    }
  }

  #loadFile(path: string): void {
    const content = readSpoolFile(path);
    if (content === null || content.pieces.length === 0) {
      rmSync(path, { force: true });
      return;
    }
    const pieces = content.pieces.map((piece) => ({ ...piece, bytes: null, isInMemory: false }));
    const log = { ...this.#newLog(content.owner), path, pieces, isCut: true, isEnded: true };
    this.#logs.set(log.key, log);
    this.#pending.set(log.key, log);
  }

  #logOf(ref: LoggedAttempt): AttemptLog {
    const known = this.#logs.get(logKey(ref));
    if (known !== undefined) return known;
    const { task, attempt, assignedAt } = ref;
    const log = this.#newLog({ task, attempt, ...(assignedAt !== undefined && { assignedAt }) });
    this.#logs.set(log.key, log);
    return log;
  }

  #newLog(ref: LoggedAttempt): AttemptLog {
    const key = logKey(ref);
    // Ids come from outside: they never become file names.
    const path = join(this.#directory, createHash("sha256").update(key).digest("hex").slice(0, 32));
    const empty = { tail: [], tailBytes: 0, tailAt: 0, length: 0, fileBytes: 0, isInMemory: false };
    return { key, ref, path, pieces: [], ...empty, isCut: false, isEnded: false };
  }

  #append(log: AttemptLog, at: number, bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0 && !log.isCut) {
      if (log.tailBytes === 0) log.tailAt = at;
      const part = rest.subarray(0, limits.logChunkBytesMax - log.tailBytes);
      log.tail.push(part);
      log.tailBytes += part.length;
      log.length += part.length;
      rest = rest.subarray(part.length);
      if (log.tailBytes === limits.logChunkBytesMax) this.#seal(log, log.tailAt, whole);
    }
  }

  /** Makes a piece of the tail. From here on its bounds stand, also for the process that finds the file after this one's death. */
  #seal(log: AttemptLog, at: number, { isTruncated, keepsBytes }: SealOptions): void {
    const bytes = log.tail.length === 1 && log.tail[0] !== undefined ? log.tail[0] : Buffer.concat(log.tail);
    const offset = log.length - log.tailBytes;
    log.tail = [];
    log.tailBytes = 0;
    log.isCut ||= isTruncated;
    if (log.isInMemory) return this.#keepInMemory(log, { offset, at, bytes, isTruncated });
    const prefix = log.fileBytes === 0 ? encodeOwner(log.ref) : null;
    try {
      const grownBytes = appendPiece(log.path, prefix, at, isTruncated, bytes);
      log.fileBytes += grownBytes;
      const position = log.fileBytes - bytes.length;
      const kept = keepsBytes ? bytes : null;
      log.pieces.push({ offset, at, length: bytes.length, isTruncated, position, bytes: kept, isInMemory: false });
    } catch (error) {
      log.isInMemory = true;
      this.#lastRefusal = error instanceof Error ? error.message : String(error);
      this.#keepInMemory(log, { offset, at, bytes, isTruncated });
    }
  }

  #keepInMemory(
    log: AttemptLog,
    piece: Pick<Piece, "offset" | "at" | "isTruncated"> & { readonly bytes: Uint8Array },
  ): void {
    const { offset, at, isTruncated, bytes } = piece;
    if (this.#memoryBytes + bytes.length <= limits.spoolMemoryBytesMax) {
      this.#memoryBytes += bytes.length;
      log.pieces.push({ offset, at, length: bytes.length, isTruncated, position: 0, bytes, isInMemory: true });
      return;
    }
    // Nobody else knows why the log ends here.
    const reason = `the worker's disk refuses it (${this.#lastRefusal}), and no master takes it`;
    const notice = Buffer.from(`\n[outlast] The rest of this output is lost: ${reason}.\n`);
    log.pieces.push({
      offset,
      at,
      length: notice.length,
      isTruncated: false,
      position: 0,
      bytes: notice,
      isInMemory: true,
    });
    this.#memoryBytes += notice.length;
    log.length = offset + notice.length;
    log.isCut = true;
  }

  /** A piece that the disk has lost is sent as nothing, so that the rest can follow; null if it can only not be read now. */
  #read(log: AttemptLog, piece: Piece): Uint8Array | null {
    try {
      return readPiece(log.path, piece);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "EMFILE" || code === "ENFILE" ? null : new Uint8Array(0);
    }
  }

  #remove(log: AttemptLog): void {
    this.#logs.delete(log.key);
    this.#pending.delete(log.key);
    if (log.fileBytes === 0 && !log.isCut) return;
    try {
      rmSync(log.path, { force: true });
    } catch {
      // The next process finds it and sends it once more, which does no harm.
    }
  }
}

/** A worker may still have output of a forgotten task while the next task of that id prints: each has a log of its own. */
function logKey({ task, attempt, assignedAt }: LoggedAttempt): string {
  return assignedAt === undefined ? attemptKey(task, attempt) : `${attemptKey(task, attempt)}@${assignedAt}`;
}
