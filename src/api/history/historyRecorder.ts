/**
 * Records what happens, in memory, for people: the last minutes by second, the last hour by minute. It reads the journal as every
 * master does, so that the next leader knows the past, too, and begins with the entries that are still kept.
 */
import type { ChangeBatch, MasterApi, Subscription } from "../../master/service/masterApi.ts";
import type { Write } from "../../model/entry.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { TaskState } from "../../model/task.ts";
import { minute, second } from "../../model/units.ts";
import { Buckets, type Counted, type HistoryPoint, type Timed } from "./buckets.ts";
import { type Mark, Marks } from "./marks.ts";

export const resolutions = { second: 1 * second, minute: 1 * minute } as const;
export type Resolution = keyof typeof resolutions;

/** What a status says of the attempt that led to it. */
const ends: { readonly [State in TaskState]?: Counted } = {
  success: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  retrying: "retried",
};

interface Running {
  readonly attempt: number;
  readonly kills: number;
  readonly assignedAt: number | undefined;
  readonly host: string | undefined;
}

export class HistoryRecorder {
  readonly #master: MasterApi;
  readonly #buckets = {
    second: new Buckets(resolutions.second, limits.historySecondsMax),
    minute: new Buckets(resolutions.minute, limits.historyMinutesMax),
  };
  readonly #all: readonly Buckets[] = Object.values(this.#buckets);
  readonly #marks = new Marks(limits.historyMarksMax);
  /** Of each running task, what its last status said: the loss of a worker and the next start may share an entry. */
  readonly #running = new Map<string, Running>();
  #timer: NodeJS.Timeout | undefined;
  #subscription: Subscription | null = null;
  #isSubscribing = false;
  #isClosed = false;

  constructor(master: MasterApi) {
    this.#master = master;
    master.observe({
      committed: (tookMs) => this.#timeNow("commitMs", tookMs),
      began: (_task, waitedMs) => this.#timeNow("waitMs", waitedMs),
      attemptEnded: () => {},
      taskEnded: () => {},
    });
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), defaults.historySampleMs);
    this.#timer.unref();
  }

  /** The buckets of one resolution that begin at or after `since`, in order; the last one is not over yet. */
  points(resolution: Resolution, since: number): HistoryPoint[] {
    return this.#buckets[resolution].since(since);
  }

  marks(since: number): Mark[] {
    return this.#marks.since(since);
  }

  #tick(): void {
    if (this.#subscription === null) return void this.#subscribe();
    const { tasks, slots } = this.#master.stats();
    for (const buckets of this.#all) buckets.sample(Date.now(), { tasks, slots });
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#subscription?.close();
  }

  /** While the store is not open yet, the next tick tries again. */
  async #subscribe(): Promise<void> {
    if (this.#isSubscribing) return;
    this.#isSubscribing = true;
    try {
      const from = Math.max(0, this.#master.status().seq - limits.historyReplayEntriesMax);
      const follow = (after: number | null) =>
        this.#master.changes(
          after,
          (batch) => this.#note(batch),
          () => this.#lose(),
        );
      const subscription = await follow(from).catch(() => follow(null));
      if (this.#isClosed) subscription.close();
      else this.#subscription = subscription;
    } catch {
      // The master is starting or stopping.
    } finally {
      this.#isSubscribing = false;
    }
  }

  /** This master has read its memory again, and skipped entries: what was skipped is not counted. */
  #lose(): void {
    this.#subscription?.close();
    this.#subscription = null;
    this.#running.clear();
  }

  #note({ at, epoch, writes }: ChangeBatch): void {
    const lost = new Map<string, number>();
    for (const write of writes) this.#noteWrite(at, write, lost);
    for (const write of writes) this.#marks.note(at, epoch, write, lost);
  }

  /** @param lost counts the attempts that are lost, by worker */
  #noteWrite(at: number, write: Write, lost: Map<string, number>): void {
    if (write.kind === "spec") this.#count(at, "submitted");
    if (write.kind !== "status") return;
    const { id, state, attempt, kills, assignedAt, host } = write.status;
    const before = this.#running.get(id);
    if (before !== undefined && before.kills < kills) {
      this.#count(at, "killed", kills - before.kills);
      if (before.host !== undefined) lost.set(before.host, (lost.get(before.host) ?? 0) + 1);
    }
    if (state === "running") {
      if (before?.attempt !== attempt && assignedAt === write.status.changedAt) this.#count(at, "started");
      this.#running.set(id, { attempt, kills, assignedAt, host });
      return;
    }
    this.#running.delete(id);
    const end = ends[state];
    if (end === undefined) return;
    this.#count(at, end);
    if (before?.assignedAt !== undefined) this.#time(at, "runMs", Math.max(0, at - before.assignedAt));
  }

  #count(at: number, name: Counted, by = 1): void {
    for (const buckets of this.#all) buckets.count(at, name, by);
  }

  /** Not before the past has been read: buckets are filled in order. */
  #timeNow(name: Timed, ms: number): void {
    if (this.#subscription !== null) this.#time(Date.now(), name, ms);
  }

  #time(at: number, name: Timed, ms: number): void {
    for (const buckets of this.#all) buckets.time(at, name, ms);
  }
}
