/** The embedded store: one SQLite file on a local disk. The entry and the rows that it changes are one transaction. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import type { CollectionName, RecordValue } from "../../model/collections/table.ts";
import type { Entry, OutgoingEntry } from "../../model/entry.ts";
import type { Incarnation, Nonce, TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { isOutputOf } from "../../model/logOwner.ts";
import type { MemberRecord } from "../../model/member.ts";
import type { LogChunk } from "../../model/protocol.ts";
import type { TaskDocument, TaskPayload, TaskStatus } from "../../model/task.ts";
import type { Ids } from "../../ports/ids.ts";
import {
  type AttemptPage,
  type AttemptQuery,
  type ExpiredTask,
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
import { AttemptList } from "./attemptList.ts";
import { atOneInstant, connect, damaged, enterWal, guarded, toStoreError, transact } from "./connection.ts";
import { Journal } from "./journal.ts";
import { Leftovers } from "./leftovers.ts";
import { refuseDamagedLog } from "./logDamage.ts";
import { LogTable } from "./logTable.ts";
import { MemberTable } from "./memberTable.ts";
import { type PackedEntry, pack } from "./packedEntry.ts";
import { Place, prepare } from "./placement.ts";
import { type RecordReader, RecordTable } from "./recordTable.ts";
import { RetentionQuery } from "./retention.ts";
import { isCurrent, migrateAsLeader, migrateOnOpen, versionOf } from "./schema.ts";
import { notMigrated, TaskList } from "./taskList.ts";
import { TaskTable } from "./taskTable.ts";
import { type Finding, verifyFile } from "./verify.ts";
import { recordReader, Views } from "./views.ts";
import { MarkerWriter, Writer } from "./writer.ts";

/** Everything that exists only between `open` and `close`. */
interface Opened {
  readonly database: DatabaseSync;
  readonly place: Place;
  readonly journal: Journal;
  readonly tasks: TaskTable;
  readonly list: TaskList;
  readonly logs: LogTable;
  /** What works on the current layout only; null while the file has an older one. */
  readonly current: CurrentLayout | null;
  readonly markers: MarkerWriter;
  readonly members: MemberTable;
  readonly lease: StatementSync;
  readonly saveLease: StatementSync;
}

interface CurrentLayout {
  readonly writer: Writer;
  readonly records: RecordTable;
  readonly retention: RetentionQuery;
  readonly leftovers: Leftovers;
  readonly attempts: AttemptList;
}

export class SqliteStore implements Store {
  readonly #path: string;
  readonly #ids: Pick<Ids, "random">;
  #opened: Opened | null = null;
  readonly #views: Views;

  constructor(options: { readonly path: string; readonly ids: Pick<Ids, "random"> }) {
    this.#path = resolve(options.path);
    this.#ids = options.ids;
    this.#views = new Views(this.#path);
  }

  async open(): Promise<StoreIdentity> {
    if (this.#opened !== null) throw new Error(`${this.#path} is open already.`);
    prepare(this.#path);
    await refuseDamagedLog(this.#path);
    try {
      const { opened, incarnation } = await this.#connect();
      this.#opened = opened;
      return { incarnation, name: `sqlite ${this.#path}`, durability: "WAL, synchronous=FULL" };
    } catch (error) {
      throw asRefusal(error);
    }
  }

  async setIncarnation(incarnation: Incarnation): Promise<void> {
    const sql = "UPDATE meta SET value = ? WHERE key = 'incarnation'";
    this.#use(({ database }) => database.prepare(sql).run(incarnation));
  }

  async close(): Promise<void> {
    this.#views.close();
    this.#opened?.database.close();
    this.#opened = null;
  }

  async append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    return this.appendPacked(pack(entry));
  }

  /** The same for an entry that comes from another thread. */
  async appendPacked(entry: PackedEntry): Promise<"committed" | "taken"> {
    return this.#commit(({ current, markers }) => (current?.writer ?? markers).append(entry));
  }

  async migrate({ seq, nonce }: Pick<Entry, "seq" | "nonce">): Promise<"migrated" | "taken"> {
    const { database, journal } = this.#use((opened) => opened);
    const isLeader = () => {
      const tail = journal.last();
      return tail?.seq === seq && tail.nonce === nonce;
    };
    try {
      if (!(await migrateAsLeader(database, this.#path, isLeader))) return "taken";
    } catch (error) {
      throw toStoreError(this.#path, error);
    }
    // The statements were prepared for the layout before.
    this.#opened = this.#use(({ place }) => toOpened(database, this.#path, place));
    return "migrated";
  }

  async readRecord<Name extends CollectionName>(collection: Name, id: string): Promise<RecordValue<Name> | null> {
    return this.#use((opened) => this.#records(opened).read(collection, id));
  }

  async listRecords<Name extends CollectionName>(collection: Name, query: RecordQuery): Promise<RecordPage<Name>> {
    return this.#use((opened) => this.#records(opened).list(collection, query));
  }

  /** A standby's file may have been migrated by the leader since it was opened. */
  #records({ current, database }: Opened): RecordReader {
    return current?.records ?? recordReader(database, this.#path);
  }

  async readTail(): Promise<Entry | null> {
    return this.#use(({ journal }) => journal.last());
  }

  async readEntries(fromSeq: number, max: number): Promise<Entry[]> {
    return this.#use(({ journal }) => journal.read(fromSeq, max));
  }

  async compact(belowSeq: number, max: number): Promise<number> {
    return this.#use(({ database, journal }) => transact(database, () => journal.compact(belowSeq, max)));
  }

  async sweep(): Promise<boolean> {
    return this.#use(({ database, current }) =>
      current === null ? false : transact(database, () => current.leftovers.sweep(0)),
    );
  }

  async loadView(collections: readonly CollectionName[]): Promise<LiveView> {
    return this.#use(() => this.#views.open(collections));
  }

  async readTask(id: TaskId): Promise<TaskDocument | null> {
    return this.#use(({ tasks }) => tasks.document(id));
  }

  async readPayloads(ids: readonly TaskId[]): Promise<Map<TaskId, TaskPayload>> {
    return this.#use(({ tasks }) => tasks.payloads(ids));
  }

  async findTasks(ids: readonly TaskId[]): Promise<{ seq: number; found: Map<TaskId, string | null> }> {
    return this.#use(({ database, journal, tasks }) =>
      atOneInstant(database, () => ({ seq: journal.tail()?.seq ?? 0, found: tasks.fingerprints(ids) })),
    );
  }

  async readStatuses(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    return this.#use(({ tasks }) => tasks.statuses(ids));
  }

  async listTasks(query: TaskQuery): Promise<TaskPage> {
    try {
      return await this.#use(({ list }) => list.page(query));
    } catch (error) {
      throw toStoreError(this.#path, error);
    }
  }

  async listAttempts(query: AttemptQuery): Promise<AttemptPage> {
    try {
      return await this.#use(async ({ current }) => (await current?.attempts.page(query)) ?? notMigrated());
    } catch (error) {
      throw toStoreError(this.#path, error);
    }
  }

  /** Output of a task that is not there (any more) is dropped: nobody could ask for it. */
  async appendLogs(chunks: readonly LogChunk[]): Promise<void> {
    this.#commit(({ database, tasks, logs }) =>
      transact(database, () => {
        for (const chunk of chunks) {
          const owner = tasks.issueOf(chunk.task);
          if (owner !== null && isOutputOf(owner, chunk)) logs.put(owner.ord, chunk);
        }
      }),
    );
  }

  async readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<LogChunk[]> {
    return this.#use(({ tasks, logs }) => {
      const ord = tasks.ordOf(task);
      return ord === null ? [] : logs.read(ord, task, attempt, fromOffset, maxBytes);
    });
  }

  async findExpired(retention: Retention, max: number): Promise<ExpiredTask[]> {
    // Only a leader clears away, and a leader has migrated the file.
    return this.#use(({ current }) => current?.retention.find(retention, max) ?? []);
  }

  async writeMember(member: MemberRecord): Promise<void> {
    this.#use(({ members }) => members.put(member));
  }

  async readMembers(): Promise<MemberRecord[]> {
    return this.#use(({ members }) => members.all());
  }

  async removeMember(nonce: Nonce): Promise<void> {
    this.#use(({ members }) => members.remove(nonce));
  }

  async readLease(): Promise<Lease | null> {
    return this.#use(({ lease }) => {
      const row = lease.get();
      if (row === undefined) return null;
      return {
        epoch: Number(row["epoch"]),
        nonce: String(row["nonce"]) as Nonce,
        beat: Number(row["beat"]),
        address: String(row["address"]),
        isResigned: row["is_resigned"] === 1,
        ttlMs: Number(row["ttl_ms"]),
      };
    });
  }

  async writeLease({ epoch, nonce, beat, address, isResigned, ttlMs }: Lease): Promise<"written" | "superseded"> {
    return this.#commit(({ saveLease }) => {
      const { changes } = saveLease.run(epoch, nonce, beat, address, isResigned ? 1 : 0, ttlMs);
      return Number(changes) > 0 ? "written" : "superseded";
    });
  }

  /** Checks everything in the file, for `outlast doctor`. Works on a store that is open, closed, or refused by `open`. */
  async verify(): Promise<readonly Finding[]> {
    return verifyFile(this.#path);
  }

  /** SQLite does not wait its turn while another process makes the file what it is to be, so we do. */
  async #connect(): Promise<{ opened: Opened; incarnation: Incarnation }> {
    const giveUpAt = performance.now() + limits.storeOpenBusyMsMax;
    while (true) {
      const database = guarded(this.#path, () => connect(this.#path));
      try {
        return guarded(this.#path, () => {
          const incarnation = this.#prepareTables(database);
          return { opened: toOpened(database, this.#path, new Place(this.#path)), incarnation };
        });
      } catch (error) {
        database.close();
        const isBusy = error instanceof StoreUnavailable && error.reason === "busy";
        if (!isBusy || performance.now() > giveUpAt) throw error;
      }
      await setTimeout(limits.storeOpenRetryMs);
    }
  }

  #prepareTables(database: DatabaseSync): Incarnation {
    // Before anything is changed: the file may be another program's.
    versionOf(database, this.#path);
    enterWal(database, this.#path);
    migrateOnOpen(database, this.#path);
    checkSize(database, this.#path);
    new Journal(database, this.#path).checkEnd();
    database.prepare("INSERT INTO meta VALUES ('incarnation', ?) ON CONFLICT DO NOTHING").run(this.#ids.random());
    return String(database.prepare("SELECT value FROM meta WHERE key = 'incarnation'").get()?.["value"]) as Incarnation;
  }

  /** For what somebody is told of once it is on disk. */
  #commit<Result>(write: (opened: Opened) => Result): Result {
    return this.#use((opened) => {
      const result = write(opened);
      opened.place.check();
      return result;
    });
  }

  #use<Result>(use: (opened: Opened) => Result): Result {
    const opened = this.#opened;
    if (opened === null) throw new Error(`${this.#path} is not open.`);
    return guarded(this.#path, () => use(opened));
  }
}

function toOpened(database: DatabaseSync, path: string, place: Place): Opened {
  const tasks = new TaskTable(database);
  return {
    database,
    place,
    journal: new Journal(database, path),
    tasks,
    list: new TaskList(database, () => tasks.counts(), isCurrent(database, path)),
    logs: new LogTable(database),
    members: new MemberTable(database),
    markers: new MarkerWriter(database, path),
    current: isCurrent(database, path)
      ? {
          writer: new Writer(database, path),
          records: new RecordTable(database),
          retention: new RetentionQuery(database),
          leftovers: new Leftovers(database),
          attempts: new AttemptList(database),
        }
      : null,
    lease: database.prepare("SELECT epoch, nonce, beat, address, is_resigned, ttl_ms FROM lease"),
    // A leader that slept and wakes must not take the hint away from its successor.
    saveLease: database.prepare(
      `INSERT INTO lease (one, epoch, nonce, beat, address, is_resigned, ttl_ms) VALUES (1, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET epoch = excluded.epoch, nonce = excluded.nonce, beat = excluded.beat,
         address = excluded.address, is_resigned = excluded.is_resigned, ttl_ms = excluded.ttl_ms
       WHERE excluded.epoch >= epoch`,
    ),
  };
}

/** Sees a file that was cut off, and looks into all pages of a small one. */
function checkSize(database: DatabaseSync, path: string): void {
  const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
  const bytes = pages * Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
  const { busy, log, checkpointed } = database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() ?? {};
  const isWhole = busy === 0 && log === checkpointed;
  const size = statSync(path).size;
  if (isWhole && size < bytes) throw damaged(`${path} was cut off: it has ${size} of its ${bytes} bytes.`);
  if (bytes > limits.storeQuickCheckBytesMax) return;
  const said = String(database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
  if (said !== "ok") throw damaged(`${path} is damaged (${said}).`);
}

/** A store that cannot be opened is refused, whatever the reason: there is no write whose fate would be unknown. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof StoreUnavailable)) return error;
  return new StoreRefused(error.message, "See that the disk is there, has room and can be written, then start again.", {
    cause: error,
  });
}
