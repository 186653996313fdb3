/** Follows the output of a task, attempt after attempt, until the task is final and all of its output has been sent. */
import type { MasterApi } from "../../master/service/masterApi.ts";
import type { TaskId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";
import { isFinal, type TaskStatus } from "../../model/task.ts";
import { sseMessage } from "./changeEvents.ts";
import type { EventStream } from "./eventStream.ts";
import { readLogPage, readMissing } from "./logReader.ts";

export type FollowedStatus = Pick<TaskStatus, "state" | "attempt" | "logBytes">;

export interface FollowStart {
  readonly task: TaskId;
  /** 0 to begin with the first attempt, once it starts. */
  readonly attempt: number;
  readonly offset: number;
  readonly status: FollowedStatus;
}

/** Sends `log` for each piece, `missing` where one has not come, `attempt` when another attempt starts, and `end` at the end. */
export class LogFollower {
  readonly #master: MasterApi;
  readonly #stream: EventStream;
  readonly #task: TaskId;
  #attempt: number;
  #offset: number;
  #isTruncated = false;
  #status: FollowedStatus;
  #stopListening: () => void = () => {};
  /** Ends the wait for news. */
  #wake: (() => void) | null = null;
  #hasNews = false;

  constructor(master: MasterApi, stream: EventStream, start: FollowStart) {
    this.#master = master;
    this.#stream = stream;
    this.#task = start.task;
    this.#attempt = start.attempt;
    this.#offset = start.offset;
    this.#status = start.status;
  }

  /** Must be called with each new status of the task. */
  update(status: FollowedStatus): void {
    this.#status = status;
    this.#nudge();
  }

  stop(): void {
    this.#nudge();
  }

  /** Resolves when everything has been sent or the stream is closed. */
  async run(): Promise<void> {
    this.#listen();
    /** After the end of the task: until when to wait for the rest of its output. */
    let tailUntil: number | null = null;
    try {
      while (!this.#stream.isClosed) {
        // News that arrive from here on end the wait below, so that none is missed.
        this.#hasNews = false;
        const hasSent = this.#attempt > 0 && (await this.#sendPage());
        if (hasSent || !isFinal(this.#status.state)) tailUntil = null;
        else tailUntil ??= performance.now() + this.#tailWaitMs();
        if (hasSent) await this.#stream.drained();
        else if (this.#attempt < this.#status.attempt) await this.#startNext();
        else if (tailUntil === null) await this.#news(Number.POSITIVE_INFINITY);
        else if (this.#isWhole() || performance.now() >= tailUntil) return await this.#sendEnd();
        else await this.#news(tailUntil - performance.now());
      }
    } finally {
      this.#stopListening();
    }
  }

  /** True when no output of the last attempt can be missing. */
  #isWhole(): boolean {
    if (this.#attempt === 0 || this.#isTruncated) return true;
    const { logBytes } = this.#status;
    return logBytes !== undefined && this.#offset >= logBytes;
  }

  /** If the worker has reported the length of the log, the rest is on its way; otherwise the length is unknown. */
  #tailWaitMs(): number {
    const { logBytes } = this.#status;
    return logBytes !== undefined && logBytes > this.#offset ? defaults.logMissingWaitMs : defaults.logTailWaitMs;
  }

  async #sendPage(): Promise<boolean> {
    const page = await readLogPage(this.#master, this.#task, this.#attempt, this.#offset);
    if (page.missingBytes > 0) this.#sendMissing(page.missingBytes);
    for (const chunk of page.chunks) {
      this.#stream.send(toMessage(chunk));
      // A page may be larger than the stream's buffer, so wait for the reader in between.
      if (this.#stream.isBusy) await this.#stream.drained();
    }
    this.#offset = page.nextOffset;
    this.#isTruncated ||= page.isTruncated;
    return page.chunks.length > 0;
  }

  async #startNext(): Promise<void> {
    await this.#tellMissing();
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#offset = 0;
    this.#isTruncated = false;
    this.#listen();
    this.#stream.send(`${sseMessage("attempt", { attempt })}\n`);
  }

  /** Behind what has come of an attempt that is over. */
  async #tellMissing(): Promise<void> {
    if (this.#attempt === 0 || this.#isTruncated) return;
    const missing = await readMissing(this.#master, this.#task, this.#attempt, this.#offset);
    if (missing !== undefined) this.#sendMissing(missing);
  }

  #sendMissing(bytes: number | null): void {
    const data = { attempt: this.#attempt, offset: this.#offset, ...(bytes !== null && { bytes }) };
    this.#stream.send(`${sseMessage("missing", data)}\n`);
  }

  async #sendEnd(): Promise<void> {
    await this.#tellMissing();
    const { state } = this.#status;
    this.#stream.send(`${sseMessage("end", { state, attempt: this.#attempt, offset: this.#offset })}\n`);
    this.#stream.end();
  }

  #listen(): void {
    this.#stopListening();
    this.#stopListening =
      this.#attempt === 0 ? () => {} : this.#master.onLogs(this.#task, this.#attempt, () => this.#nudge());
  }

  #nudge(): void {
    this.#hasNews = true;
    this.#wake?.();
  }

  /** Waits until something has happened since the last page was read, or the time is up. */
  async #news(waitMsMax: number): Promise<void> {
    if (this.#hasNews || this.#stream.isClosed) return;
    // Workers send output to the leader. A standby gets no notice of it, so it polls.
    const waitMs = this.#master.status().role === "leader" ? waitMsMax : Math.min(waitMsMax, defaults.logPollMs);
    await new Promise<void>((resolve) => {
      const timer = waitMs === Number.POSITIVE_INFINITY ? null : setTimeout(resolve, Math.ceil(waitMs));
      this.#wake = () => {
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The id lets a reader resume after a disconnect: `<attempt>:<offset>`. */
function toMessage(chunk: LogChunk): string {
  const { attempt, offset, bytes, isTruncated } = chunk;
  const data = { attempt, offset, ...toText(bytes), ...(isTruncated ? { isTruncated } : {}) };
  return `${sseMessage("log", data)}id: ${attempt}:${offset + bytes.length}\n\n`;
}

function toText(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: decoder.decode(bytes) };
  } catch {
    // Not text, or a character is split between two pieces.
    return { base64: Buffer.from(bytes).toString("base64") };
  }
}
