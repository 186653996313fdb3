/** Follows the output of a task, attempt after attempt, until the task is final and the last of it has been told. */
import type { MasterApi } from "../../master/service/masterApi.ts";
import type { TaskId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";
import { isFinal, type TaskStatus } from "../../model/task.ts";
import { sseMessage } from "./changeEvents.ts";
import type { EventStream } from "./eventStream.ts";
import { readLogPage } from "./logReader.ts";

export type FollowedStatus = Pick<TaskStatus, "state" | "attempt" | "logBytes">;

export interface FollowStart {
  readonly task: TaskId;
  /** 0 to begin with the first attempt, once it starts. */
  readonly attempt: number;
  readonly offset: number;
  readonly status: FollowedStatus;
}

/** Events: `log` for each piece, `attempt` when another one starts, `end` at the very last. */
export class LogFollower {
  readonly #master: MasterApi;
  readonly #stream: EventStream;
  readonly #task: TaskId;
  #attempt: number;
  #offset: number;
  #isTruncated = false;
  #status: FollowedStatus;
  #stopListening: () => void = () => {};
  /** Ends the wait, while the follower has nothing to do. */
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

  /** To be called with each new status of the task. */
  update(status: FollowedStatus): void {
    this.#status = status;
    this.#nudge();
  }

  stop(): void {
    this.#nudge();
  }

  /** Resolves when all has been told or the stream is closed. */
  async run(): Promise<void> {
    this.#listen();
    /** Once the task has ended: how long the last of its output is waited for. */
    let tailUntil: number | null = null;
    try {
      while (!this.#stream.isClosed) {
        // Whatever comes from here on is news to this round, so that nothing is slept through.
        this.#hasNews = false;
        const hasSent = this.#attempt > 0 && (await this.#sendPage());
        if (hasSent || !isFinal(this.#status.state)) tailUntil = null;
        else tailUntil ??= performance.now() + this.#tailWaitMs();
        if (hasSent) await this.#stream.drained();
        else if (this.#attempt < this.#status.attempt) this.#startAttempt(this.#attempt + 1);
        else if (tailUntil === null) await this.#news(Number.POSITIVE_INFINITY);
        else if (this.#isWhole() || performance.now() >= tailUntil) return this.#sendEnd();
        else await this.#news(tailUntil - performance.now());
      }
    } finally {
      this.#stopListening();
    }
  }

  /** True once no more of the last attempt's output can be missing. */
  #isWhole(): boolean {
    if (this.#attempt === 0 || this.#isTruncated) return true;
    const { logBytes } = this.#status;
    return logBytes !== undefined && this.#offset >= logBytes;
  }

  /** Output that its worker has counted is on its way; of an attempt that broke off nobody knows. */
  #tailWaitMs(): number {
    const { logBytes } = this.#status;
    return logBytes !== undefined && logBytes > this.#offset ? defaults.logMissingWaitMs : defaults.logTailWaitMs;
  }

  async #sendPage(): Promise<boolean> {
    const page = await readLogPage(this.#master, this.#task, this.#attempt, this.#offset);
    for (const chunk of page.chunks) {
      this.#stream.send(toMessage(chunk));
      // A page as SSE may be larger than what may wait for a reader, and no reader can take anything before it is sent.
      if (this.#stream.isBusy) await this.#stream.drained();
    }
    this.#offset = page.nextOffset;
    this.#isTruncated ||= page.isTruncated;
    return page.chunks.length > 0;
  }

  #startAttempt(attempt: number): void {
    this.#attempt = attempt;
    this.#offset = 0;
    this.#isTruncated = false;
    this.#listen();
    this.#stream.send(`${sseMessage("attempt", { attempt })}\n`);
  }

  #sendEnd(): void {
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

  /** Waits until it is worth looking again: something has happened since the last page was read, or the time is up. */
  async #news(waitMsMax: number): Promise<void> {
    if (this.#hasNews || this.#stream.isClosed) return;
    // Workers bring output to the leader. Elsewhere nobody tells of it, so it is looked for.
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

/** The id lets a reader that was cut go on where it stopped: `<attempt>:<offset>`. */
function toMessage(chunk: LogChunk): string {
  const { attempt, offset, bytes, isTruncated } = chunk;
  const data = { attempt, offset, ...toText(bytes), ...(isTruncated ? { isTruncated } : {}) };
  return `${sseMessage("log", data)}id: ${attempt}:${offset + bytes.length}\n\n`;
}

function toText(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: decoder.decode(bytes) };
  } catch {
    // Not text, or a character that goes on in the next piece.
    return { base64: Buffer.from(bytes).toString("base64") };
  }
}
