/**
 * The store for many machines: a MongoDB database. An entry is one insert of the next `_id`, durable on a majority before it is
 * acknowledged; the task documents follow right behind it, and reads put over them what is not there yet.
 */
import { setTimeout } from "node:timers/promises";
import { type CollectionName, ownerOf, type RecordValue } from "../../model/collections/table.ts";
import type { Entry, OutgoingEntry } from "../../model/entry.ts";
import type { Incarnation, Nonce, TaskId } from "../../model/ids.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import type { MemberRecord } from "../../model/member.ts";
import type { LogChunk } from "../../model/protocol.ts";
import { isFinal, type TaskDocument, type TaskPayload, type TaskStatus } from "../../model/task.ts";
import type { Ids } from "../../ports/ids.ts";
import {
  type AttemptPage,
  type AttemptQuery,
  type ExpiredTask,
  type ForeignTask,
  type Lease,
  type LiveView,
  type RecordPage,
  type RecordQuery,
  type Retention,
  type Store,
  type StoreIdentity,
  StoreRefused,
  StoreUnavailable,
  type TaskPage,
  type TaskQuery,
} from "../../ports/store.ts";
import { toDocument, toPayload, toStatus } from "../documents.ts";
import { withFamilies } from "../familyRetention.ts";
import { type MongodbAddress, parseAddress } from "./address.ts";
import { Appender } from "./appender.ts";
import { AttemptList } from "./attemptList.ts";
import { type Connection, connect } from "./connection.ts";
import { toStateCounts } from "./derived.ts";
import { ForeignDocuments } from "./foreignDocuments.ts";
import { JournalCollection } from "./journal.ts";
import { createIndexes, createNoteIndexes, prepareDatabase } from "./layout.ts";
import { loadLiveView } from "./liveView.ts";
import { LogCollection } from "./logs.ts";
import { LeaseNote, MemberNotes } from "./notes.ts";
import { isWhole, placeOfTask } from "./overlay.ts";
import { type RecordPlace, RecordReader } from "./records.ts";
import { overlaid, type TaskRow, toKey, toTaskId } from "./taskDocument.ts";
import { TaskList } from "./taskList.ts";
import { sweepRecords, sweepTasks } from "./tombstones.ts";
import { verifyStore } from "./verify.ts";
import { ViewWriter } from "./viewWriter.ts";
import { JournalWindow } from "./window.ts";

/** Everything that exists only between `open` and `close`. */
interface Opened {
  readonly connection: Connection;
  readonly journal: JournalCollection;
  readonly window: JournalWindow;
  readonly view: ViewWriter;
  readonly appender: Appender;
  readonly list: TaskList;
  readonly attempts: AttemptList;
  readonly records: RecordReader;
  readonly logs: LogCollection;
  readonly foreign: ForeignDocuments;
  readonly members: MemberNotes;
  readonly lease: LeaseNote;
}

export class MongodbStore implements Store {
  readonly #address: MongodbAddress;
  readonly #ids: Pick<Ids, "random">;
  #opened: Opened | null = null;
  /** When old notes were looked for last, by the time of the journal. */
  #sweptAt = 0;
  /** The last look has left some. */
  #hasOldNotes = false;
  #areNotesIndexed = false;

  /** @throws StoreRefused for an address that is none */
  constructor(options: { readonly uri: string; readonly ids: Pick<Ids, "random"> }) {
    this.#address = parseAddress(options.uri);
    this.#ids = options.ids;
  }

  async open(): Promise<StoreIdentity> {
    if (this.#opened !== null) throw new Error(`${this.#address.name} is open already.`);
    const giveUpAt = performance.now() + patienceFor(this.#address);
    for (;;) {
      try {
        return await this.#open();
      } catch (error) {
        // A server that has just been started may not do everything yet.
        const isAway = error instanceof StoreUnavailable;
        if (isAway && performance.now() >= giveUpAt) throw asRefusal(error);
        if (!isAway) throw error;
      }
      await setTimeout(mongodbLimits.retryMsMax / 4);
    }
  }

  async #open(): Promise<StoreIdentity> {
    const connection = await connect(this.#address);
    try {
      const incarnation = await prepareDatabase(connection, () => this.#ids.random());
      this.#opened = toOpened(connection);
      await connection.run(() => this.#opened?.window.sync() ?? Promise.resolve());
      return { incarnation, name: this.#address.name, durability: "w: majority, j: true" };
    } catch (error) {
      this.#opened = null;
      await connection.client.close();
      throw error;
    }
  }

  setIncarnation(incarnation: Incarnation): Promise<void> {
    return this.#use(async ({ connection }) => {
      await connection.meta.updateOne({ _id: "store" }, { $set: { incarnation } });
    });
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    if (opened === null) return;
    await opened.view.stop();
    await opened.connection.client.close();
    await opened.view.ended();
  }

  append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    return this.#use(({ appender }) => appender.append(entry));
  }

  /** Checks everything in the database. No master should be writing. */
  async verify(): Promise<readonly { readonly message: string }[]> {
    return this.#use(async ({ connection }) => (await verifyStore(connection)).map((message) => ({ message })));
  }

  readTail(): Promise<Entry | null> {
    return this.#read(async ({ journal, window }) => (await journal.at(window.tail.seq))?.entry ?? null);
  }

  readEntries(fromSeq: number, max: number): Promise<Entry[]> {
    return this.#use(async ({ journal }) => (await journal.read(fromSeq, max)).map(({ entry }) => entry));
  }

  compact(belowSeq: number, max: number): Promise<number> {
    return this.#read(async ({ journal, window, view }) => {
      const below = Math.min(belowSeq, window.tail.seq);
      // Only what stands in the view, on a majority, may go from the journal.
      if (view.isWriting && below > 1) await view.reached(below - 1);
      return journal.compact(Math.min(below, (await window.notedSeq()) + 1), max);
    });
  }

  sweep(): Promise<boolean> {
    return this.#use(async ({ connection, window: { tail } }) => {
      // By the journal's own time: while nothing is written, there is nothing to look for.
      const isTime = tail.at - this.#sweptAt >= mongodbLimits.tombstoneSweepMs;
      if (!isTime && !this.#hasOldNotes) return false;
      if (!this.#areNotesIndexed) await createNoteIndexes(connection);
      this.#areNotesIndexed = true;
      if (isTime) await sweepRecords(connection, tail.at);
      if (isTime) this.#sweptAt = tail.at;
      this.#hasOldNotes = await sweepTasks(connection, tail.at);
      return this.#hasOldNotes;
    });
  }

  loadView(collections: readonly CollectionName[]): Promise<LiveView> {
    return this.#use(({ connection, window, view }) => loadLiveView(connection, window, collections, view.documents));
  }

  /** There is one layout so far, to which fields were added; an older version has no indexes for those. */
  migrate({ seq, nonce }: Pick<Entry, "seq" | "nonce">): Promise<"migrated" | "taken"> {
    return this.#read(async ({ connection, window: { tail } }) => {
      if (tail.seq !== seq || tail.nonce !== nonce) return "taken";
      await createIndexes(connection);
      return "migrated";
    });
  }

  async readRecord<Name extends CollectionName>(collection: Name, id: string): Promise<RecordValue<Name> | null> {
    const place = await this.#placeOf(collection, id);
    if (place === null) return null;
    return this.#use(({ records, window }) => records.read(place, id.slice(place.idStart.length), window.overlay));
  }

  async listRecords<Name extends CollectionName>(collection: Name, query: RecordQuery): Promise<RecordPage<Name>> {
    const place = await this.#placeOf(collection, query.idPrefix ?? "");
    if (place === null) return { records: [], isMore: false };
    return this.#use(({ records, window }) => records.page(place, query, window.overlay));
  }

  async readTask(id: TaskId): Promise<TaskDocument | null> {
    const row = (await this.#rows([id])).get(id);
    return row === undefined ? null : toDocument(row.specText, row.statusText);
  }

  async readPayloads(ids: readonly TaskId[]): Promise<Map<TaskId, TaskPayload>> {
    const payloads = new Map<TaskId, TaskPayload>();
    for (const [id, { specText }] of await this.#rows(ids)) payloads.set(id, toPayload(specText));
    return payloads;
  }

  async findTasks(ids: readonly TaskId[]): Promise<{ seq: number; found: Map<TaskId, string | null> }> {
    const found = new Map<TaskId, string | null>();
    let seq = 0;
    const rows = await this.#rows(ids, (at) => {
      seq = at;
    });
    for (const [id, { fingerprint }] of rows) found.set(id, fingerprint);
    return { seq, found };
  }

  async readStatuses(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    const statuses = new Map<TaskId, TaskStatus>();
    for (const [id, { statusText }] of await this.#rows(ids)) statuses.set(id, toStatus(statusText));
    return statuses;
  }

  listTasks(query: TaskQuery): Promise<TaskPage> {
    return this.#read(({ list }) => list.page(query));
  }

  listAttempts(query: AttemptQuery): Promise<AttemptPage> {
    return this.#read(({ attempts }) => attempts.page(query));
  }

  async appendLogs(chunks: readonly LogChunk[]): Promise<void> {
    const rows = await this.#rows([...new Set(chunks.map(({ task }) => task))]);
    const owners = new Map(
      [...rows].map(([id, { ord, specText, statusText }]) => [id, { ord, task: toDocument(specText, statusText) }]),
    );
    await this.#use(({ logs }) => logs.put(chunks, owners));
  }

  async readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<LogChunk[]> {
    const row = (await this.#rows([task])).get(task);
    if (row === undefined) return [];
    return this.#use(({ logs }) => logs.read(row.ord, task, attempt, fromOffset, maxBytes));
  }

  findExpired(retention: Retention, max: number): Promise<ExpiredTask[]> {
    return this.#read(async ({ list, view, window }) => {
      const finished = toStateCounts(window.counts).filter(({ state }) => isFinal(state));
      const count = finished.reduce((sum, one) => sum + one.count, 0);
      const roots = await list.expired(retention, count, max + (retention.pinned?.length ?? 0));
      if (roots.some(({ hasChildren }) => hasChildren)) await view.reached(window.tail.seq);
      const { keepMax, pinned = [] } = retention;
      return withFamilies(roots, { surplus: count - keepMax, max, pinned }, (root, most) => list.below(root, most));
    });
  }

  /**
   * While there is nothing, one request is all. What is there counts only once the view has reached the end of the journal: what is
   * not ours then is nobody's task yet.
   */
  findForeign(max: number): Promise<ForeignTask[]> {
    return this.#use(async ({ foreign, view, window }) => {
      if (!(await foreign.mayBeAny())) return [];
      await window.sync();
      await view.reached(window.tail.seq, "soon");
      return foreign.find(max);
    });
  }

  readForeign(): Promise<readonly object[]> {
    return this.#use(({ connection }) => connection.tasks.find({ "outlast.state": null }).toArray());
  }

  rejectForeign(ids: readonly TaskId[]): Promise<void> {
    return this.#read(async ({ connection, foreign, view, window }) => {
      await foreign.reject(
        ids.map((id) => toKey(id, connection)),
        window.tail.seq,
      );
      await view.documents.restoreLost(window.viewSeq);
    });
  }

  writeMember(member: MemberRecord): Promise<void> {
    return this.#use(({ members }) => members.put(member));
  }

  readMembers(): Promise<MemberRecord[]> {
    return this.#use(({ members }) => members.all());
  }

  removeMember(nonce: Nonce): Promise<void> {
    return this.#use(({ members }) => members.remove(nonce));
  }

  readLease(): Promise<Lease | null> {
    return this.#use(({ lease }) => lease.read());
  }

  writeLease(lease: Lease): Promise<"written" | "superseded"> {
    return this.#use(({ lease: note }) => note.write(lease));
  }

  /** For each of `ids` that exists, as of the end of the journal. */
  async #rows(ids: readonly TaskId[], onSeq: (seq: number) => void = () => undefined): Promise<Map<TaskId, TaskRow>> {
    return this.#read(async ({ connection, window }) => {
      onSeq(window.tail.seq);
      const pending = new Map(ids.map((id) => [id, window.overlay.tasks.get(id)]));
      const keys = ids.flatMap((id) => {
        const task = pending.get(id);
        return task !== undefined && isWhole(task) ? [] : [toKey(id, connection)];
      });
      const stored = keys.length === 0 ? [] : await connection.tasks.find({ _id: { $in: keys } }).toArray();
      const documents = new Map(stored.map((document) => [toTaskId(document._id), document]));
      const rows = new Map<TaskId, TaskRow>();
      for (const id of ids) {
        const row = overlaid(id, pending.get(id), documents.get(id) ?? null);
        if (row !== null) rows.set(id, row);
      }
      return rows;
    });
  }

  /** Where the records with such ids stand now; null if they belong to a task that is not there. */
  async #placeOf<Name extends CollectionName>(collection: Name, id: string): Promise<RecordPlace<Name> | null> {
    const owner = ownerOf(id);
    if (owner === null) {
      await this.#read(async () => undefined);
      return { collection, place: collection, idStart: "" };
    }
    const task = owner.task as TaskId;
    const row = (await this.#rows([task])).get(task);
    if (row === undefined) return null;
    return { collection, place: placeOfTask(collection, row.ord), idStart: `${task}/` };
  }

  /** A read that must show every entry committed before it. */
  #read<Result>(read: (opened: Opened) => Promise<Result>): Promise<Result> {
    return this.#use(async (opened) => {
      await opened.window.sync();
      return read(opened);
    });
  }

  async #use<Result>(use: (opened: Opened) => Promise<Result>): Promise<Result> {
    const opened = this.#opened;
    if (opened === null) throw new Error(`${this.#address.name} is not open.`);
    return opened.connection.run(() => use(opened));
  }
}

/** How long a server is waited for while a store is opened: as the address says, or as long as one takes to start. */
function patienceFor({ uri }: MongodbAddress): number {
  const said = /[?&]serverselectiontimeoutms=(\d+)/i.exec(uri)?.[1];
  return said === undefined ? mongodbLimits.openMsMax : Number(said);
}

/** A store that cannot be opened is refused, whatever the reason: there is no write whose fate would be unknown. */
function asRefusal(error: StoreUnavailable): StoreRefused {
  return new StoreRefused(
    error.message,
    "See that MongoDB runs, that this machine reaches it, and that it has a primary; then start again.",
    { cause: error },
  );
}

function toOpened(connection: Connection): Opened {
  const journal = new JournalCollection(connection);
  const window = new JournalWindow(connection, journal);
  const view = new ViewWriter(connection, journal, window);
  return {
    connection,
    journal,
    window,
    view,
    appender: new Appender(connection, journal, window, view),
    list: new TaskList(connection, window),
    attempts: new AttemptList(connection, window),
    records: new RecordReader(connection),
    logs: new LogCollection(connection),
    foreign: new ForeignDocuments(connection),
    members: new MemberNotes(connection),
    lease: new LeaseNote(connection),
  };
}
