/** A master's handle on the simulated store: slow, failing, full, away, out of reach, or unsure whether a write went in. */
import type { CollectionName, RecordValue, StoredRecord } from "../../model/collections/table.ts";
import { entryFormat, type Write } from "../../model/entry.ts";
import { attemptKey, type Nonce, type TaskId } from "../../model/ids.ts";
import type { MemberRecord } from "../../model/member.ts";
import type { LogChunk } from "../../model/protocol.ts";
import type { TaskDocument, TaskPayload, TaskStatus } from "../../model/task.ts";
import {
  type AttemptPage,
  type AttemptQuery,
  type Entry,
  type ExpiredTask,
  type ForeignTask,
  type Lease,
  type LiveView,
  type OutgoingEntry,
  type RecordPage,
  type RecordQuery,
  type Retention,
  type Store,
  type StoreIdentity,
  StoreUnavailable,
  type TaskPage,
  type TaskQuery,
} from "../../ports/store.ts";
import { describeWrite } from "./storeDisk.ts";
import type { AppendFate, AppendOutcome } from "./storeEngine.ts";
import type { StoreParts } from "./storeParts.ts";
import { pageOf, type StoreView } from "./storeView.ts";

/** The store's name in the network. */
export const storeMachine = "store";

/** What has become of an append may take this long to be known, or to be given up. */
export const unansweredMsMax = 5_000;

const liveBatch = 7;

/** How far documents may be behind the journal. */
const documentsLagMsMax = 30_000;

export class SimulatedStore implements Store {
  readonly #parts: StoreParts;
  /** Everything up to here has been seen through this handle: nothing older is shown to it again. */
  #seenSeq = 0;
  /** Only where others can put tasks into the store. */
  readonly findForeign?: (max: number) => Promise<ForeignTask[]>;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    if (parts.engine.model === "mongodb") this.findForeign = (max) => this.#findForeign(max);
  }

  open(): Promise<StoreIdentity> {
    const { disk, engine } = this.#parts;
    return this.#ask(() => ({
      incarnation: disk.incarnation,
      name: `simulated ${engine.model}`,
      durability: "simulated",
    }));
  }

  setIncarnation(): Promise<void> {
    throw new Error("No simulated store is restored from a backup.");
  }

  close(): Promise<void> {
    return this.#parts.process.sleep(0);
  }

  append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    const { process, timeline, ledger, weather, coverage, engine } = this.#parts;
    if (!process.isAlive) return new Promise(() => {});
    if (entry.format !== entryFormat) throw new Error(`an entry of format ${entry.format} was handed to the store`);
    const isMarker = entry.writes[0]?.kind === "marker";
    ledger.add({ kind: "append", life: process.name, seq: entry.seq, epoch: entry.epoch, isMarker });
    timeline.trace(
      `${process.name} hands entry ${entry.seq} to the store: ${entry.writes.map(describeWrite).join(", ")}`,
    );
    const fate = this.#drawFate();
    return new Promise((resolve, reject) => {
      const settle = (afterMs: number, end: () => void): void => {
        process.after(afterMs, () => {
          ledger.add({ kind: "append-answered", life: process.name, seq: entry.seq });
          end();
        });
      };
      const refuse = (reason: string, afterMs: number): void => {
        settle(afterMs, () => reject(new StoreUnavailable(reason, `simulated: ${reason}`)));
      };
      if (weather.isAway || weather.isFull) {
        coverage.saw(weather.isFull ? "append refused by a full store" : "append while the store is away");
        refuse(weather.isFull ? "full" : "network", weather.isFull ? this.#latency() : this.#giveUpMs());
        return;
      }
      if (fate === "request-lost") {
        coverage.saw("unknown outcome that had not gone in");
        refuse(engine.isInProcess ? "busy" : "timeout", this.#giveUpMs());
        return;
      }
      const answer = (outcome: AppendOutcome): void => {
        if (fate === "late") return;
        if (outcome instanceof StoreUnavailable) return settle(this.#latency(), () => reject(outcome));
        if (fate === "answer-lost" || this.#isDeaf()) return refuse("timeout", this.#giveUpMs());
        settle(this.#latency(), () => {
          if (outcome === "committed") this.#seenSeq = Math.max(this.#seenSeq, entry.seq);
          if (outcome === "committed") this.#followWithDocuments(entry.writes);
          resolve(outcome);
        });
      };
      this.#carry(entry, fate, answer, refuse);
    });
  }

  /** Takes an entry to the store, where it may arrive long after its sender has given up or died. */
  #carry(
    entry: OutgoingEntry,
    fate: AppendFate,
    answer: (outcome: AppendOutcome) => void,
    refuse: (reason: string, afterMs: number) => void,
  ): void {
    const { process, timeline, network, machine, coverage, engine } = this.#parts;
    const afterMs = fate === "late" ? this.#parts.random.spread(50, 60_000) : this.#latency();
    if (fate === "late") refuse("timeout", Math.min(afterMs - 1, this.#giveUpMs()));
    const arrive = (): void => {
      engine.append(entry, (outcome) => {
        this.#noteOutcome(entry, fate, outcome);
        answer(outcome);
      });
    };
    if (engine.isInProcess) return void process.after(afterMs, arrive);
    // Not through the process: what is under way goes in even if its sender dies.
    timeline.after(afterMs, () => {
      if (!network.isCut(machine, storeMachine)) return arrive();
      coverage.saw("a master was cut off from the store");
      if (fate !== "late") refuse("network", this.#giveUpMs());
      if (network.flip()) network.whenOpen(machine, storeMachine, arrive);
    });
  }

  #noteOutcome({ seq, nonce }: OutgoingEntry, fate: AppendFate, outcome: AppendOutcome): void {
    const { process, coverage, disk } = this.#parts;
    if (outcome === "committed") {
      if (!process.isAlive) coverage.saw("an entry went in after its sender had died");
      if (fate !== "ok") coverage.saw("unknown outcome that had gone in");
    }
    if (outcome !== "taken") return;
    const standing = disk.landed[seq - 1];
    if (standing === undefined) return;
    if (standing.nonce === nonce) coverage.saw("an append found its own entry in the slot");
    else coverage.saw("an append found another master's entry in the slot");
    const isAfterMarker =
      disk.landed.some((entry) => entry.seq <= seq && entry.epoch > standing.epoch) || standing.nonce !== nonce;
    if (fate === "late" && isAfterMarker) coverage.saw("a stale leader's insert came after the marker");
  }

  readTail(): Promise<Entry | null> {
    return this.#read((view) => this.#parts.disk.entry(view.seq) ?? null);
  }

  readEntries(fromSeq: number, max: number): Promise<Entry[]> {
    return this.#read((view) => {
      const entries = this.#parts.disk.slice(fromSeq, view.seq, max);
      if ((entries[0]?.seq ?? fromSeq) > fromSeq)
        this.#parts.coverage.saw("a reader of the journal found that it began too late");
      return entries;
    });
  }

  compact(belowSeq: number, max: number): Promise<number> {
    return this.#ask(() => {
      const gone = this.#parts.disk.compact(belowSeq, max);
      if (gone > 0) this.#noteCompaction(belowSeq);
      return gone;
    });
  }

  #noteCompaction(belowSeq: number): void {
    const { coverage, ledger, process, disk, timeline, machine } = this.#parts;
    const notes = [...disk.members.values()].map(({ name, seq, nonce }) => {
      const { at = 0, since = 0 } = disk.noted.get(nonce) ?? {};
      return { name, seq, ageMs: timeline.now - at, knownMs: timeline.now - since };
    });
    ledger.add({ kind: "compacted", node: machine, life: process.name, firstSeq: Math.min(belowSeq, disk.seq), notes });
    coverage.saw("entries were compacted away");
    const leads = ledger.events.findLast((event) => event.kind === "leads");
    if (leads?.life !== process.name) coverage.saw("entries were compacted away by a master that no longer led");
  }

  findExpired(retention: Retention, max: number): Promise<ExpiredTask[]> {
    return this.#read((view) => view.expired(retention, max));
  }

  /** The documents follow the journal before anybody looks at them; and by themselves, as long as the master lives that wrote it. */
  async #findForeign(max: number): Promise<ForeignTask[]> {
    return this.#ask(() => {
      const { disk } = this.#parts;
      disk.claimAdopted();
      return [...disk.foreign].slice(0, max).map(([id, submission]) => ({ id, submission }));
    });
  }

  #followWithDocuments(writes: readonly Write[]): void {
    const { process, disk, coverage, random } = this.#parts;
    if (!writes.some((write) => write.kind === "spec" && write.spec.adoptedFrom !== undefined)) return;
    coverage.saw("a task was adopted from the store");
    process.after(random.spread(1, documentsLagMsMax), () => disk.claimAdopted());
  }

  async writeMember(member: MemberRecord): Promise<void> {
    await this.#ask(() => this.#parts.disk.keepMember(member));
  }

  readMembers(): Promise<MemberRecord[]> {
    return this.#ask(() => [...this.#parts.disk.members.values()]);
  }

  async removeMember(nonce: Nonce): Promise<void> {
    await this.#ask(() => this.#parts.disk.members.delete(nonce));
  }

  /** There is one layout only; whether it leads is found out as everywhere: by what stands behind its marker. */
  migrate({ seq, nonce }: Pick<Entry, "seq" | "nonce">): Promise<"migrated" | "taken"> {
    return this.#read((view) => {
      const tail = this.#parts.disk.entry(view.seq);
      return tail?.seq === seq && tail.nonce === nonce ? "migrated" : "taken";
    });
  }

  readRecord<Name extends CollectionName>(collection: Name, id: string): Promise<RecordValue<Name> | null> {
    return this.#read((view) => view.records(collection).get(id) ?? null);
  }

  listRecords<Name extends CollectionName>(collection: Name, query: RecordQuery): Promise<RecordPage<Name>> {
    const { idPrefix = "", after = "", limit } = query;
    return this.#read((view) => {
      const records = this.#recordsOf(view, collection)
        .filter(({ id }) => id.startsWith(idPrefix) && id > after)
        .sort((one, other) => (one.id < other.id ? -1 : 1));
      return { records: records.slice(0, limit), isMore: records.length > limit };
    });
  }

  async loadView(collections: readonly CollectionName[]): Promise<LiveView> {
    return await this.#read((view) => ({
      seq: view.seq,
      records: this.#inPieces(collections.flatMap((name) => this.#recordsOf(view, name))),
      tasks: this.#inPieces(view.liveTasks()),
      collections: view.collections,
      finished: view.finishedCounts(),
    }));
  }

  /** One instant's view, read piece by piece: meanwhile others may write, and the reader may die. */
  async *#inPieces<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
    for (let start = 0; start < items.length; start += liveBatch) {
      yield await this.#ask(() => items.slice(start, start + liveBatch));
    }
  }

  #recordsOf<Name extends CollectionName>(view: StoreView, collection: Name): StoredRecord<Name>[] {
    return [...view.records(collection)].map(([id, value]) => ({ collection, id, value }));
  }

  readTask(id: TaskId): Promise<TaskDocument | null> {
    return this.#read((view) => view.document(id));
  }

  readPayloads(ids: readonly TaskId[]): Promise<Map<TaskId, TaskPayload>> {
    return this.#read((view) => {
      const specs = ids.map((id) => view.specs.get(id)).filter((spec) => spec !== undefined);
      return new Map(specs.map(({ id, name, kind, input }) => [id, { name, kind, input }]));
    });
  }

  findTasks(ids: readonly TaskId[]): Promise<{ seq: number; found: Map<TaskId, string | null> }> {
    return this.#read((view) => {
      const specs = ids.map((id) => view.specs.get(id)).filter((spec) => spec !== undefined);
      return { seq: view.seq, found: new Map(specs.map((spec) => [spec.id, spec.fingerprint])) };
    });
  }

  readStatuses(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    return this.#read((view) => {
      const found = ids.flatMap((id): [TaskId, TaskStatus][] => {
        const status = view.statuses.get(id)?.status;
        return status === undefined ? [] : [[id, status]];
      });
      return new Map(found);
    });
  }

  listTasks(query: TaskQuery): Promise<TaskPage> {
    return this.#read((view) => {
      const { items: tasks, cursor } = pageOf(view.listed(query), query);
      return { tasks, cursor };
    });
  }

  listAttempts(query: AttemptQuery): Promise<AttemptPage> {
    return this.#read((view) => {
      const { items: attempts, cursor } = pageOf(view.attempts(query), query);
      return { attempts, cursor };
    });
  }

  appendLogs(chunks: readonly LogChunk[]): Promise<void> {
    return this.#ask(() => this.#parts.disk.keepLogs(chunks));
  }

  readLogs(task: TaskId, attempt: number, fromOffset: number): Promise<LogChunk[]> {
    return this.#ask(() =>
      [...(this.#parts.disk.logs.get(attemptKey(task, attempt))?.values() ?? [])]
        .filter((chunk) => chunk.offset >= fromOffset)
        .sort((left, right) => left.offset - right.offset),
    );
  }

  readLease(): Promise<Lease | null> {
    const { disk, engine, random } = this.#parts;
    return this.#ask(() => {
      const { lease, leaseBefore } = disk;
      const isLate = random.chance(engine.staleChance) && leaseBefore?.epoch === lease?.epoch;
      return isLate ? leaseBefore : lease;
    });
  }

  writeLease(lease: Lease): Promise<"written" | "superseded"> {
    return this.#ask(() => {
      const { disk, coverage } = this.#parts;
      const { epoch = 0, ttlMs = 0 } = disk.lease ?? {};
      if (epoch > lease.epoch) return "superseded";
      if (epoch === lease.epoch && ttlMs < lease.ttlMs)
        coverage.saw("a leader with a slow store asked for a longer lease");
      disk.leaseBefore = disk.lease;
      disk.lease = lease;
      return "written";
    });
  }

  /** A read of the journal or the view, of some state that is not older than what this handle has seen. */
  #read<Answer>(look: (view: StoreView) => Answer): Promise<Answer> {
    return this.#trip(() => {
      const view = this.#parts.engine.readable(this.#seenSeq);
      if (view instanceof StoreUnavailable) return view;
      this.#seenSeq = Math.max(this.#seenSeq, view.seq);
      return { answer: look(view) };
    });
  }

  /** Everything else: only where the store can take writes. */
  #ask<Answer>(look: () => Answer): Promise<Answer> {
    return this.#trip(() =>
      this.#parts.engine.isUp ? { answer: look() } : new StoreUnavailable("network", "simulated: no primary"),
    );
  }

  /** One round trip whose answer is true at the moment the store handles it. */
  #trip<Answer>(handle: () => { readonly answer: Answer } | StoreUnavailable): Promise<Answer> {
    const { timeline, process, weather, network, machine } = this.#parts;
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        const failure = new StoreUnavailable("network", `simulated: ${reason}`);
        process.after(this.#giveUpMs(), () => reject(failure));
      };
      timeline.after(this.#latency(), () => {
        if (weather.isAway) return fail("the store is away");
        if (network.isCut(machine, storeMachine)) return fail("the store is out of reach");
        const handled = handle();
        if (this.#isDeaf()) return fail("no answer from the store");
        process.after(this.#latency(), () => {
          if (handled instanceof StoreUnavailable) reject(handled);
          else resolve(handled.answer);
        });
      });
    });
  }

  /** True if the store hears this master, and this master does not hear the store. */
  #isDeaf(): boolean {
    return this.#parts.network.isCut(storeMachine, this.#parts.machine);
  }

  #drawFate(): AppendFate {
    const { random, weather, engine } = this.#parts;
    return random.chance(weather.unknownChance) ? random.pick(engine.fates) : "ok";
  }

  #latency(): number {
    return this.#parts.random.spread(1, 6) * this.#parts.weather.slowness;
  }

  /** Some failures are told at once, some only after the driver's own patience. */
  #giveUpMs(): number {
    const { random } = this.#parts;
    return random.chance(0.5) ? random.integer(0, 5) : random.integer(200, unansweredMsMax);
  }
}
