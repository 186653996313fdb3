/**
 * The spool of output in a thread of its own, started with the first output: the thread that sends a worker's heartbeats does no
 * disk I/O for logs. While the disk hangs, up to `limits.spoolWaitBytesMax` wait in memory; then commands that print are held up.
 */
import { readdir } from "node:fs/promises";
import type { Worker } from "node:worker_threads";
import { issueKey } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LogChunk, LoggedAttempt } from "../../model/protocol.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSpool, SpooledPieceRef } from "../../ports/work.ts";
import { startThread } from "../../threads/thread.ts";
import type { SpoolAnswer, SpoolOrder } from "./spoolThread.ts";

export class ThreadedLogSpool implements LogSpool {
  readonly #directory: string;
  readonly #clock: Clock;
  #thread: Worker | null = null;
  /** True once it is known that no earlier process has left anything here, or the thread is there. */
  #isLookedAt = false;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #lastNumber = 0;
  /** Bytes handed to the thread that it has not taken in. */
  #waitingBytes = 0;
  #onRoom: PromiseWithResolvers<void> | null = null;
  /** True once the disk did not answer in time at the end: the thread is still waiting for it. */
  hangs = false;
  /** How much each attempt that runs has printed. */
  readonly #lengths = new Map<string, number>();

  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  write(attempt: LoggedAttempt, at: number, bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length === 0) return undefined;
    const key = logKey(attempt);
    this.#lengths.set(key, Math.min(limits.logAttemptBytesMax, (this.#lengths.get(key) ?? 0) + bytes.length));
    this.#waitingBytes += bytes.length;
    this.#tell({ kind: "write", attempt: refOf(attempt), at, bytes });
    if (this.#waitingBytes <= limits.spoolWaitBytesMax) return undefined;
    this.#onRoom ??= Promise.withResolvers<void>();
    return this.#onRoom.promise;
  }

  async take(maxBytes: number): Promise<readonly LogChunk[]> {
    if (this.#thread === null && !(await this.#hasLeftovers())) return [];
    return (await this.#ask((number) => ({ kind: "take", number, maxBytes }))) as readonly LogChunk[];
  }

  stored(pieces: readonly SpooledPieceRef[]): void {
    if (this.#thread === null) return;
    this.#tell({ kind: "stored", pieces: pieces.map((piece) => ({ ...refOf(piece), offset: piece.offset })) });
  }

  end(attempt: LoggedAttempt): number {
    // Most tasks print nothing, and some come in tens of thousands a second.
    if (this.#lengths.size === 0) return 0;
    const key = logKey(attempt);
    const length = this.#lengths.get(key);
    if (length === undefined) return 0;
    this.#lengths.delete(key);
    this.#tell({ kind: "end", attempt: refOf(attempt) });
    return length;
  }

  /** Keeps on disk what has not been sent. @returns false if the disk does not answer */
  async close(): Promise<boolean> {
    if (this.#thread === null) return true;
    const closed = this.#ask((number) => ({ kind: "close", number })).then(() => true);
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = this.#clock.at(this.#clock.now() + limits.spoolCloseMsMax, () => resolve(false));
    const isClosed = await Promise.race([closed, late]);
    timer.cancel();
    this.hangs = !isClosed;
    return isClosed;
  }

  async #hasLeftovers(): Promise<boolean> {
    if (this.#isLookedAt) return false;
    const names = await readdir(this.#directory).catch(() => []);
    this.#isLookedAt = true;
    return names.length > 0;
  }

  #tell(order: SpoolOrder): void {
    this.#start().postMessage(order);
  }

  #ask(order: (number: number) => SpoolOrder): Promise<unknown> {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#tell(order(number));
    });
  }

  #start(): Worker {
    if (this.#thread !== null) return this.#thread;
    this.#isLookedAt = true;
    // Beside this file: the source in a checkout, what was built of it in a package.
    const file = import.meta.url.endsWith(".ts") ? "./spoolThread.ts" : "./spoolThread.js";
    const thread = startThread(new URL(file, import.meta.url), { workerData: { directory: this.#directory } });
    this.#thread = thread;
    thread.on("message", (answer: SpoolAnswer) => this.#hear(answer));
    // The process must not live on for it.
    thread.unref();
    return thread;
  }

  #hear(answer: SpoolAnswer): void {
    if (answer.kind === "done") {
      this.#waiting.get(answer.number)?.(answer.value);
      this.#waiting.delete(answer.number);
      return;
    }
    this.#waitingBytes -= answer.bytes;
    if (this.#onRoom === null || this.#waitingBytes > limits.spoolWaitBytesMax / 2) return;
    this.#onRoom.resolve();
    this.#onRoom = null;
  }
}

function refOf({ task, attempt, assignedAt }: LoggedAttempt): LoggedAttempt {
  return { task, attempt, ...(assignedAt !== undefined && { assignedAt }) };
}

function logKey({ task, attempt, assignedAt = 0 }: LoggedAttempt): string {
  return issueKey({ task, attempt, assignedAt });
}
