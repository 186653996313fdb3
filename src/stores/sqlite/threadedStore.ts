/**
 * The embedded store in a thread of its own. While it writes and syncs an entry, the master's thread takes in the next requests
 * and sends out answers, and its heart goes on beating however long a disk hangs. docs/decisions/0011 has the figures.
 */
import { resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import type { CollectionName, RecordValue } from "../../model/collections/table.ts";
import type { Entry, OutgoingEntry } from "../../model/entry.ts";
import type { Incarnation, Nonce, TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { MemberRecord } from "../../model/member.ts";
import type { LogChunk } from "../../model/protocol.ts";
import type { TaskDocument, TaskPayload, TaskStatus } from "../../model/task.ts";
import type { Ids } from "../../ports/ids.ts";
import type {
  AttemptPage,
  AttemptQuery,
  ExpiredTask,
  Lease,
  LiveView,
  RecordPage,
  RecordQuery,
  Retention,
  Store,
  StoreIdentity,
  TaskPage,
  TaskQuery,
} from "../../ports/store.ts";
import { startThread } from "../../threads/thread.ts";
import { pack } from "./packedEntry.ts";
import type { SqliteStore } from "./store.ts";
import type { ThreadStart } from "./storeThread.ts";
import { type Answer, type Question, type ThreadCall, unpackError } from "./threadMessages.ts";
import { Views } from "./views.ts";

export class ThreadedSqliteStore implements Store {
  readonly #path: string;
  readonly #ids: Pick<Ids, "random">;
  readonly #views: Views;
  #thread: StoreThread | null = null;

  constructor(options: { readonly path: string; readonly ids: Pick<Ids, "random"> }) {
    this.#path = resolve(options.path);
    this.#ids = options.ids;
    this.#views = new Views(this.#path);
  }

  async open(): Promise<StoreIdentity> {
    if (this.#thread !== null) throw new Error(`${this.#path} is open already.`);
    const thread = new StoreThread({ path: this.#path, incarnation: this.#ids.random() });
    try {
      const identity = await thread.ask("open");
      this.#thread = thread;
      return identity;
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  async setIncarnation(incarnation: Incarnation): Promise<void> {
    await this.#use().ask("setIncarnation", incarnation);
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    this.#views.close();
    await thread?.close();
  }

  async append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    return this.#use().ask("appendPacked", pack(entry));
  }

  async migrate(marker: Pick<Entry, "seq" | "nonce">): Promise<"migrated" | "taken"> {
    return this.#use().ask("migrate", { seq: marker.seq, nonce: marker.nonce });
  }

  async readTail(): Promise<Entry | null> {
    return this.#use().ask("readTail");
  }

  async readEntries(fromSeq: number, max: number): Promise<Entry[]> {
    return this.#use().ask("readEntries", fromSeq, max);
  }

  async compact(belowSeq: number, max: number): Promise<number> {
    return this.#use().ask("compact", belowSeq, max);
  }

  async sweep(): Promise<boolean> {
    return this.#use().ask("sweep");
  }

  /** Read in the caller's thread, in bounded steps: a million tasks take longer to copy than to read. */
  async loadView(collections: readonly CollectionName[]): Promise<LiveView> {
    this.#use();
    return this.#views.open(collections);
  }

  async readRecord<Name extends CollectionName>(collection: Name, id: string): Promise<RecordValue<Name> | null> {
    return (await this.#use().ask("readRecord", collection, id)) as RecordValue<Name> | null;
  }

  async listRecords<Name extends CollectionName>(collection: Name, query: RecordQuery): Promise<RecordPage<Name>> {
    return (await this.#use().ask("listRecords", collection, query)) as RecordPage<Name>;
  }

  async readTask(id: TaskId): Promise<TaskDocument | null> {
    return this.#use().ask("readTask", id);
  }

  async readPayloads(ids: readonly TaskId[]): Promise<Map<TaskId, TaskPayload>> {
    return this.#use().ask("readPayloads", ids);
  }

  async findTasks(ids: readonly TaskId[]): Promise<{ seq: number; found: Map<TaskId, string | null> }> {
    return this.#use().ask("findTasks", ids);
  }

  async readStatuses(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    return this.#use().ask("readStatuses", ids);
  }

  async listTasks(query: TaskQuery): Promise<TaskPage> {
    return this.#use().ask("listTasks", query);
  }

  async listAttempts(query: AttemptQuery): Promise<AttemptPage> {
    return this.#use().ask("listAttempts", query);
  }

  async appendLogs(chunks: readonly LogChunk[]): Promise<void> {
    // A small Buffer is a window on a large shared block, and all of the block would be copied.
    const own = chunks.map((chunk) => ({ ...chunk, bytes: Uint8Array.from(chunk.bytes) }));
    return this.#use().ask("appendLogs", own);
  }

  async readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<LogChunk[]> {
    return this.#use().ask("readLogs", task, attempt, fromOffset, maxBytes);
  }

  async findExpired(retention: Retention, max: number): Promise<ExpiredTask[]> {
    return this.#use().ask("findExpired", retention, max);
  }

  async writeMember(member: MemberRecord): Promise<void> {
    return this.#use().ask("writeMember", member);
  }

  async readMembers(): Promise<MemberRecord[]> {
    return this.#use().ask("readMembers");
  }

  async removeMember(nonce: Nonce): Promise<void> {
    return this.#use().ask("removeMember", nonce);
  }

  async readLease(): Promise<Lease | null> {
    return this.#use().ask("readLease");
  }

  async writeLease(lease: Lease): Promise<"written" | "superseded"> {
    return this.#use().ask("writeLease", lease);
  }

  #use(): StoreThread {
    if (this.#thread === null) throw new Error(`${this.#path} is not open.`);
    return this.#thread;
  }
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The near end of the thread: questions go out numbered, and each waits for its answer. */
class StoreThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  readonly #ended: Promise<void>;
  #last = 0;
  /** Why nothing will be answered any more. */
  #failure: Error | null = null;

  constructor(start: ThreadStart) {
    // Beside this file: the source in a checkout, what was built of it in a package.
    const file = import.meta.url.endsWith(".ts") ? "./storeThread.ts" : "./storeThread.js";
    this.#worker = startThread(new URL(file, import.meta.url), {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: limits.storeThreadYoungMiBMax },
    });
    this.#worker.on("message", (answer: Answer) => this.#settle(answer));
    this.#worker.on("error", (error: Error) => this.#fail(error));
    this.#ended = new Promise((done) => {
      this.#worker.once("exit", () => {
        this.#fail(new Error("The store's thread has ended."));
        done();
      });
    });
  }

  ask<Call extends ThreadCall>(
    call: Call,
    ...parameters: Parameters<SqliteStore[Call]>
  ): ReturnType<SqliteStore[Call]> {
    const answer = new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure);
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject });
      this.#worker.postMessage({ number: this.#last, call, parameters } satisfies Question);
    });
    // What the store answers is what its own type says.
    return answer as ReturnType<SqliteStore[Call]>;
  }

  /** Waits for all that was asked before, and for the file to be closed. */
  async close(): Promise<void> {
    if (this.#failure === null) await this.ask("close");
    await this.#ended;
  }

  #settle(answer: Answer): void {
    const waiter = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    if ("error" in answer) waiter?.reject(unpackError(answer.error));
    else waiter?.resolve(answer.value);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiters = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiter of waiters) waiter.reject(this.#failure);
  }
}
