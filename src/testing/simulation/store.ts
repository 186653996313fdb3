/** A master's handle on the simulated store: slow, failing, full, away, or unsure whether a write went in. */
import { entryFormat } from "../../model/entry.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { attemptKey } from "../../model/ids.ts";
import type { MemberRecord } from "../../model/member.ts";
import type { LogChunk } from "../../model/protocol.ts";
import { isFinal, type TaskDocument, type TaskPayload } from "../../model/task.ts";
import {
  type Entry,
  type ExpiredTask,
  type Lease,
  type LiveTask,
  type LiveView,
  type OutgoingEntry,
  type StateCount,
  type Store,
  type StoreIdentity,
  StoreUnavailable,
  type TaskPage,
  type TaskQuery,
} from "../../ports/store.ts";
import type { Ledger } from "../ledger.ts";
import type { Coverage } from "./coverage.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { describeWrite, type StoreDisk } from "./storeDisk.ts";
import type { Timeline } from "./timeline.ts";

/** How the store is doing; faults change it, every handle feels it. */
export interface StoreWeather {
  isAway: boolean;
  isFull: boolean;
  /** 1 is healthy; 100 makes a commit of 3 ms take 300. */
  slowness: number;
  /** Chance that an append's answer is lost, whatever became of it. */
  unknownChance: number;
}

/** What an append meets on its way. `late`: it goes in long after the sender was told that nobody knows. */
type AppendFate = "ok" | "request-lost" | "answer-lost" | "late";

const liveBatch = 7;

export class SimulatedStore implements Store {
  readonly #disk: StoreDisk;
  readonly #weather: StoreWeather;
  readonly #process: Process;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #coverage: Coverage;

  constructor(parts: {
    disk: StoreDisk;
    weather: StoreWeather;
    process: Process;
    timeline: Timeline;
    random: Random;
    ledger: Ledger;
    coverage: Coverage;
  }) {
    this.#disk = parts.disk;
    this.#weather = parts.weather;
    this.#process = parts.process;
    this.#timeline = parts.timeline;
    this.#random = parts.random;
    this.#ledger = parts.ledger;
    this.#coverage = parts.coverage;
  }

  open(): Promise<StoreIdentity> {
    const identity = { incarnation: this.#disk.incarnation, name: "simulated", durability: "simulated" };
    return this.#read(() => identity);
  }

  close(): Promise<void> {
    return this.#process.sleep(0);
  }

  append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    if (!this.#process.isAlive) return new Promise(() => {});
    if (entry.format !== entryFormat) throw new Error(`an entry of format ${entry.format} was handed to the store`);
    this.#ledger.add({ kind: "append", life: this.#process.name, seq: entry.seq, epoch: entry.epoch });
    this.#timeline.trace(
      `${this.#process.name} hands entry ${entry.seq} to the store: ${entry.writes.map(describeWrite).join(", ")}`,
    );
    const fate = this.#drawFate();
    const thereMs = this.#latency();
    const backMs = this.#latency();
    const willFail = this.#weather.isAway || this.#weather.isFull;
    return new Promise((resolve, reject) => {
      const answer = (afterMs: number, settle: () => void): void => {
        this.#process.after(afterMs, () => {
          this.#ledger.add({ kind: "append-answered", life: this.#process.name, seq: entry.seq });
          settle();
        });
      };
      const refuse = (reason: string, afterMs: number): void => {
        answer(afterMs, () => reject(new StoreUnavailable(reason, `simulated: ${reason}`)));
      };
      if (willFail) {
        this.#coverage.saw(this.#weather.isFull ? "append refused by a full store" : "append while the store is away");
        refuse(this.#weather.isFull ? "full" : "network", this.#weather.isFull ? backMs : this.#giveUpMs());
        return;
      }
      if (fate === "request-lost") {
        this.#coverage.saw("unknown outcome that had not gone in");
        refuse("timeout", this.#giveUpMs());
        return;
      }
      const landsAfterMs = fate === "late" ? this.#random.spread(50, 30_000) : thereMs;
      if (fate === "late") refuse("timeout", Math.min(landsAfterMs - 1, this.#giveUpMs()));
      // Not through the process: what is under way goes in even if its sender dies.
      this.#timeline.after(landsAfterMs, () => {
        const result = this.#land(entry, fate);
        if (fate === "ok") answer(backMs, () => resolve(result));
        if (fate === "answer-lost") refuse("timeout", backMs);
      });
    });
  }

  #land(entry: OutgoingEntry, fate: AppendFate): "committed" | "taken" {
    if (entry.seq > this.#disk.seq + 1)
      throw new Error(`entry ${entry.seq} was appended over a gap after ${this.#disk.seq}`);
    const result = this.#disk.land(entry);
    if (result === "committed") {
      if (!this.#process.isAlive) this.#coverage.saw("an entry went in after its sender had died");
      if (fate !== "ok") this.#coverage.saw("unknown outcome that had gone in");
    } else {
      const standing = this.#disk.entries[entry.seq - 1];
      if (standing?.nonce === entry.nonce) this.#coverage.saw("an append found its own entry in the slot");
      else this.#coverage.saw("an append found another master's entry in the slot");
    }
    return result;
  }

  readTail(): Promise<Entry | null> {
    return this.#read(() => this.#disk.entries.at(-1) ?? null);
  }

  readEntries(fromSeq: number, max: number): Promise<Entry[]> {
    return this.#read(() => this.#disk.entries.slice(Math.max(0, fromSeq - 1), Math.max(0, fromSeq - 1) + max));
  }

  compact(): Promise<number> {
    return this.#read(() => 0);
  }

  findExpired(): Promise<ExpiredTask[]> {
    return this.#read(() => []);
  }

  async writeMember(): Promise<void> {
    await this.#read(() => null);
  }

  readMembers(): Promise<MemberRecord[]> {
    return this.#read(() => []);
  }

  async removeMember(): Promise<void> {
    await this.#read(() => null);
  }

  async loadView(): Promise<LiveView> {
    return await this.#read(() => ({
      seq: this.#disk.seq,
      tasks: this.#inPieces([...this.#disk.statuses.keys()].flatMap((id) => this.#liveTask(id))),
      workers: [...this.#disk.workers.values()],
      queues: [...this.#disk.queues.values()],
      finished: this.#countFinished(),
    }));
  }

  /** One instant's view, read piece by piece: meanwhile others may write, and the reader may die. */
  async *#inPieces(tasks: readonly LiveTask[]): AsyncGenerator<readonly LiveTask[]> {
    for (let start = 0; start < tasks.length; start += liveBatch) {
      yield await this.#read(() => tasks.slice(start, start + liveBatch));
    }
  }

  #liveTask(id: TaskId): LiveTask[] {
    const spec = this.#disk.specs.get(id);
    const stored = this.#disk.statuses.get(id);
    if (spec === undefined || stored === undefined || isFinal(stored.status.state)) return [];
    const { name: _name, kind: _kind, input: _input, ...head } = spec;
    return [{ head, status: stored.status, seq: stored.seq }];
  }

  #countFinished(): StateCount[] {
    const counts = new Map<string, { queue: string; state: StateCount["state"]; count: number }>();
    for (const [id, { status }] of this.#disk.statuses) {
      const queue = this.#disk.specs.get(id)?.queue;
      if (queue === undefined || !isFinal(status.state)) continue;
      const key = `${queue} ${status.state}`;
      const counted = counts.get(key) ?? { queue, state: status.state, count: 0 };
      counted.count += 1;
      counts.set(key, counted);
    }
    return [...counts.values()];
  }

  readTask(id: TaskId): Promise<TaskDocument | null> {
    return this.#read(() => this.#disk.document(id));
  }

  readPayloads(ids: readonly TaskId[]): Promise<Map<TaskId, TaskPayload>> {
    return this.#read(() => {
      const specs = ids.map((id) => this.#disk.specs.get(id)).filter((spec) => spec !== undefined);
      return new Map(specs.map(({ id, name, kind, input }) => [id, { name, kind, input }]));
    });
  }

  findTasks(ids: readonly TaskId[]): Promise<{ seq: number; found: Map<TaskId, string | null> }> {
    return this.#read(() => {
      const specs = ids.map((id) => this.#disk.specs.get(id)).filter((spec) => spec !== undefined);
      return { seq: this.#disk.seq, found: new Map(specs.map((spec) => [spec.id, spec.fingerprint])) };
    });
  }

  listTasks(query: TaskQuery): Promise<TaskPage> {
    return this.#read(() => {
      const documents = [...this.#disk.specs.keys()]
        .map((id) => this.#disk.document(id))
        .filter((document) => document !== null)
        .filter((document) => query.states?.includes(document.state) ?? true)
        .filter((document) => query.queue === undefined || document.queue === query.queue);
      if (query.order === "newest") documents.reverse();
      const start = query.cursor === null ? 0 : Number(query.cursor);
      if (!Number.isInteger(start)) throw new OutlastError("bad-request", "No such cursor.");
      const end = start + query.limit;
      return { tasks: documents.slice(start, end), cursor: end < documents.length ? String(end) : null };
    });
  }

  appendLogs(chunks: readonly LogChunk[]): Promise<void> {
    return this.#read(() => this.#disk.keepLogs(chunks));
  }

  readLogs(task: TaskId, attempt: number, fromOffset: number): Promise<LogChunk[]> {
    return this.#read(() =>
      [...(this.#disk.logs.get(attemptKey(task, attempt))?.values() ?? [])]
        .filter((chunk) => chunk.offset >= fromOffset)
        .sort((left, right) => left.offset - right.offset),
    );
  }

  readLease(): Promise<Lease | null> {
    return this.#read(() => this.#disk.lease);
  }

  writeLease(lease: Lease): Promise<void> {
    return this.#read(() => {
      this.#disk.lease = lease;
    });
  }

  /** One round trip whose answer is true at the moment the store handles it. */
  #read<Answer>(look: () => Answer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#timeline.after(this.#latency(), () => {
        if (this.#weather.isAway) {
          const failure = new StoreUnavailable("network", "simulated: the store is away");
          this.#process.after(this.#giveUpMs(), () => reject(failure));
          return;
        }
        const answer = look();
        this.#process.after(this.#latency(), () => resolve(answer));
      });
    });
  }

  #drawFate(): AppendFate {
    if (!this.#random.chance(this.#weather.unknownChance)) return "ok";
    return this.#random.pick(["request-lost", "answer-lost", "answer-lost", "late"]);
  }

  #latency(): number {
    return this.#random.spread(1, 6) * this.#weather.slowness;
  }

  /** Some failures are told at once, some only after the driver's own patience. */
  #giveUpMs(): number {
    return this.#random.chance(0.5) ? this.#random.integer(0, 5) : this.#random.integer(200, 5000);
  }
}
