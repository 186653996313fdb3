/** A store that lives and dies with its process: for tests, for the simulator and for work that may be lost. */

import {
  type CollectionName,
  type CollectionVersions,
  ownerOf,
  type RecordValue,
  type StoredRecord,
} from "../../model/collections/table.ts";
import type { Entry, OutgoingEntry } from "../../model/entry.ts";
import type { Incarnation, Nonce, TaskId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { isOutputOf } from "../../model/logOwner.ts";
import type { MemberRecord } from "../../model/member.ts";
import type { LogChunk } from "../../model/protocol.ts";
import {
  isFinal,
  type TaskDocument,
  type TaskPayload,
  type TaskSpec,
  type TaskState,
  type TaskStatus,
} from "../../model/task.ts";
import type { Ids } from "../../ports/ids.ts";
import type {
  AttemptPage,
  AttemptQuery,
  ExpiredTask,
  Lease,
  LiveTask,
  LiveView,
  RecordPage,
  RecordQuery,
  Retention,
  StateCount,
  Store,
  StoreIdentity,
  TaskPage,
  TaskQuery,
} from "../../ports/store.ts";
import { pageOfAll, rowOfRecord, rowOfStatus } from "../attemptPage.ts";
import { changesOf, type TaskChange, withoutTask } from "../changes.ts";
import { fromCursor, toCursor } from "../cursor.ts";
import { toDocument, toHead, toPayload, toRecord, toStatus } from "../documents.ts";
import { compareBytes, toRecordPage, toStoredRecord } from "../recordPage.ts";
import { slotOf } from "../slot.ts";
import { matches } from "../taskFilter.ts";
import { findExpired } from "./retention.ts";

/** A task as it is kept. Texts, not objects: nobody can change a stored record by holding on to it. */
interface TaskRow {
  /** Its number in the order of creation. */
  readonly ord: number;
  readonly id: TaskId;
  spec: string;
  parent: TaskId | null;
  name: string;
  queue: string;
  fingerprint: string | null;
  status: string;
  state: TaskState;
  host: WorkerId | undefined;
  seq: number;
  /** Records that belong to it: JSON texts by collection, then by the whole id. */
  readonly records: Map<CollectionName, Map<string, string>>;
  /** By attempt, then by offset. */
  readonly logs: Map<number, Map<number, LogChunk>>;
}

/** What was stored stays for as long as the object does: `close` and `open` again is how a restart looks to it. */
export class MemoryStore implements Store {
  #identity: StoreIdentity;
  readonly #entries: Entry[] = [];
  readonly #tasks = new Map<TaskId, TaskRow>();
  /** The same by `ord`, for lists; null when it must be made again. */
  #inOrder: TaskRow[] | null = null;
  #ordMax = 0;
  /** JSON texts by collection, then by id; those that belong to a task are with the task. */
  readonly #records = new Map<CollectionName, Map<string, string>>();
  #collections: CollectionVersions | null = null;
  readonly #members = new Map<Nonce, MemberRecord>();
  #lease: Lease | null = null;

  constructor(options: { readonly ids: Pick<Ids, "random"> }) {
    this.#identity = {
      incarnation: options.ids.random() as Incarnation,
      name: "memory",
      durability: "none: in memory only",
    };
  }

  async open(): Promise<StoreIdentity> {
    return this.#identity;
  }

  async setIncarnation(incarnation: Incarnation): Promise<void> {
    this.#identity = { ...this.#identity, incarnation };
  }

  async close(): Promise<void> {}

  async append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    if (slotOf(entry, this.#entries.at(-1) ?? null) === "taken") return "taken";
    const changes = changesOf(entry);
    for (const [id, change] of changes.tasks) {
      const isThere = this.#tasks.has(id) && !changes.forgottenTasks.has(id);
      if (change.spec === null && !isThere) throw withoutTask(entry, id, "spec");
      if (change.status === null && !isThere) throw withoutTask(entry, id, "status");
    }
    for (const { id, text } of changes.records) {
      const owner = ownerOf(id)?.task;
      if (owner === undefined || text === null || changes.tasks.has(owner as TaskId)) continue;
      if (!this.#tasks.has(owner as TaskId) || changes.forgottenTasks.has(owner as TaskId))
        throw withoutTask(entry, owner, "spec");
    }
    const { seq, epoch, nonce, at, format, previousCrc, crc, body } = entry;
    this.#entries.push({ seq, epoch, nonce, at, format, previousCrc, crc, body });
    for (const id of changes.forgottenTasks) this.#forget(id);
    for (const [id, change] of changes.tasks) this.#put(seq, id, change);
    for (const { collection, id, text } of changes.records) {
      if (text === null) this.#recordsOf(collection, id).delete(id);
      else this.#recordsOf(collection, id).set(id, text);
    }
    this.#collections = changes.collections ?? this.#collections;
    return "committed";
  }

  async readTail(): Promise<Entry | null> {
    return this.#entries.at(-1) ?? null;
  }

  async readEntries(fromSeq: number, max: number): Promise<Entry[]> {
    const start = Math.max(0, fromSeq - (this.#entries[0]?.seq ?? 1));
    return this.#entries.slice(start, start + max);
  }

  async compact(belowSeq: number, max: number): Promise<number> {
    const below = Math.min(belowSeq, this.#seq());
    const old = Math.max(0, below - (this.#entries[0]?.seq ?? 0));
    return this.#entries.splice(0, Math.min(old, max)).length;
  }

  async migrate({ seq, nonce }: Pick<Entry, "seq" | "nonce">): Promise<"migrated" | "taken"> {
    const tail = this.#entries.at(-1);
    return tail?.seq === seq && tail.nonce === nonce ? "migrated" : "taken";
  }

  async readRecord<Name extends CollectionName>(collection: Name, id: string): Promise<RecordValue<Name> | null> {
    const text = this.#recordsOf(collection, id).get(id);
    return text === undefined ? null : toRecord(collection, id, text);
  }

  async listRecords<Name extends CollectionName>(collection: Name, query: RecordQuery): Promise<RecordPage<Name>> {
    const { idPrefix = "", after } = query;
    const texts = this.#recordsOf(collection, idPrefix);
    const ids = [...texts.keys()]
      .filter((id) => id.startsWith(idPrefix) && (after === undefined || compareBytes(id, after) > 0))
      .toSorted(compareBytes);
    return toRecordPage(
      collection,
      query,
      ids.map((id) => ({ id, text: texts.get(id) ?? "" })),
    );
  }

  async loadView(collections: readonly CollectionName[]): Promise<LiveView> {
    const rows = [...this.#tasks.values()];
    // Copies, since the view must stand still while it is read.
    const live = rows.filter((row) => !isFinal(row.state)).map(({ spec, status, seq }) => ({ spec, status, seq }));
    return {
      seq: this.#seq(),
      tasks: inBatches(live),
      records: recordBatches(
        collections.map((name) => [name, new Map(this.#records.get(name))] satisfies [CollectionName, unknown]),
      ),
      collections: this.#collections,
      finished: countFinished(rows),
    };
  }

  async readTask(id: TaskId): Promise<TaskDocument | null> {
    const row = this.#tasks.get(id);
    return row === undefined ? null : toDocument(row.spec, row.status);
  }

  async readPayloads(ids: readonly TaskId[]): Promise<Map<TaskId, TaskPayload>> {
    const payloads = new Map<TaskId, TaskPayload>();
    for (const id of ids) {
      const row = this.#tasks.get(id);
      if (row !== undefined) payloads.set(id, toPayload(row.spec));
    }
    return payloads;
  }

  async findTasks(ids: readonly TaskId[]): Promise<{ seq: number; found: Map<TaskId, string | null> }> {
    const found = new Map<TaskId, string | null>();
    for (const id of ids) {
      const row = this.#tasks.get(id);
      if (row !== undefined) found.set(id, row.fingerprint);
    }
    return { seq: this.#seq(), found };
  }

  async readStatuses(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    const statuses = new Map<TaskId, TaskStatus>();
    for (const id of ids) {
      const row = this.#tasks.get(id);
      if (row !== undefined) statuses.set(id, toStatus(row.status));
    }
    return statuses;
  }

  async listTasks(query: TaskQuery): Promise<TaskPage> {
    const after = fromCursor(query);
    // A Map keeps the order in which its keys came, and that is the order of creation.
    this.#inOrder ??= [...this.#tasks.values()];
    const rows = this.#inOrder;
    const found: TaskRow[] = [];
    const isNewest = query.order === "newest";
    const step = isNewest ? -1 : 1;
    const first = isNewest ? firstAfter(rows, after - 1) - 1 : firstAfter(rows, after);
    for (let index = first; found.length <= query.limit; index += step) {
      const row = rows[index];
      if (row === undefined) break;
      if (matches(row, query)) found.push(row);
    }
    let length = 0;
    const end = found.findIndex(({ spec, status }, index) => {
      length += spec.length + status.length;
      return index > 0 && length > limits.pageTextMax;
    });
    const page = found.slice(0, end === -1 ? query.limit : Math.min(end, query.limit));
    const last = page.at(-1);
    return {
      tasks: page.map((row) => toDocument(row.spec, row.status)),
      cursor: found.length > page.length && last !== undefined ? toCursor(query.order, last.ord) : null,
    };
  }

  async listAttempts(query: AttemptQuery): Promise<AttemptPage> {
    const rows = [...this.#tasks.values()].flatMap((row) => {
      const { id, name, ord, status, records } = row;
      const recorded = [...(records.get("attempts") ?? [])].flatMap(([recordId, text]) =>
        rowOfRecord({ id, name, ord }, toRecord("attempts", recordId, text)),
      );
      return [...recorded, ...rowOfStatus({ name, ord }, toStatus(status))];
    });
    return pageOfAll(rows, query);
  }

  async appendLogs(chunks: readonly LogChunk[]): Promise<void> {
    for (const chunk of chunks) {
      const row = this.#tasks.get(chunk.task);
      if (row === undefined || !isOutputOf(toDocument(row.spec, row.status), chunk)) continue;
      const { logs } = row;
      const ofAttempt = logs.get(chunk.attempt) ?? new Map<number, LogChunk>();
      logs.set(chunk.attempt, ofAttempt);
      if (!ofAttempt.has(chunk.offset)) ofAttempt.set(chunk.offset, copyOf(chunk));
    }
  }

  async readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<LogChunk[]> {
    const ofAttempt = this.#tasks.get(task)?.logs.get(attempt);
    const chunks = [...(ofAttempt?.values() ?? [])]
      .filter((chunk) => chunk.offset >= fromOffset)
      .sort((one, other) => one.offset - other.offset);
    let bytes = 0;
    const end = chunks.findIndex((chunk, index) => {
      bytes += chunk.bytes.length;
      return index > 0 && bytes > maxBytes;
    });
    return end === -1 ? chunks : chunks.slice(0, end);
  }

  async findExpired(retention: Retention, max: number): Promise<ExpiredTask[]> {
    return findExpired([...this.#tasks.values()], retention, max);
  }

  async writeMember(member: MemberRecord): Promise<void> {
    this.#members.set(member.nonce, { ...member });
  }

  async readMembers(): Promise<MemberRecord[]> {
    return [...this.#members.values()];
  }

  async removeMember(nonce: Nonce): Promise<void> {
    this.#members.delete(nonce);
  }

  async readLease(): Promise<Lease | null> {
    return this.#lease;
  }

  async writeLease(lease: Lease): Promise<"written" | "superseded"> {
    if (this.#lease !== null && this.#lease.epoch > lease.epoch) return "superseded";
    this.#lease = { ...lease };
    return "written";
  }

  #seq(): number {
    return this.#entries.at(-1)?.seq ?? 0;
  }

  #put(seq: number, id: TaskId, { spec, specText, status, statusText }: TaskChange): void {
    let row = this.#tasks.get(id);
    if (row === undefined) {
      if (spec === null || status === null) return;
      this.#ordMax += 1;
      row = {
        ord: this.#ordMax,
        id,
        ...specFields(spec, specText),
        ...statusFields(status, statusText),
        seq,
        records: new Map(),
        logs: new Map(),
      };
      this.#tasks.set(id, row);
      this.#inOrder?.push(row);
      return;
    }
    if (spec !== null) Object.assign(row, specFields(spec, specText));
    if (status !== null) Object.assign(row, statusFields(status, statusText), { seq });
  }

  /** The place of a record with this id. One whose task is not there has a place that nobody sees. */
  #recordsOf(collection: CollectionName, id: string): Map<string, string> {
    const owner = ownerOf(id);
    const all = owner === null ? this.#records : this.#tasks.get(owner.task as TaskId)?.records;
    const records = all?.get(collection) ?? new Map<string, string>();
    all?.set(collection, records);
    return records;
  }

  #forget(id: TaskId): void {
    if (this.#tasks.delete(id)) this.#inOrder = null;
  }
}

function specFields(spec: TaskSpec, text: string): Pick<TaskRow, "spec" | "parent" | "name" | "queue" | "fingerprint"> {
  return { spec: text, parent: spec.parent ?? null, name: spec.name, queue: spec.queue, fingerprint: spec.fingerprint };
}

function statusFields(status: TaskStatus, text: string): Pick<TaskRow, "status" | "state" | "host"> {
  return { status: text, state: status.state, host: status.host };
}

/** The index of the first row with a larger `ord`; the length of the list if there is none. */
function firstAfter(rows: readonly TaskRow[], ord: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.ord ?? 0) > ord) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Only final tasks are counted: the unfinished ones are loaded anyway. */
function countFinished(rows: Iterable<TaskRow>): StateCount[] {
  const counts = new Map<string, { queue: string; state: TaskState; count: number }>();
  for (const { queue, state } of rows) {
    if (!isFinal(state)) continue;
    const key = `${state} ${queue}`;
    const entry = counts.get(key);
    if (entry === undefined) counts.set(key, { queue, state, count: 1 });
    else entry.count += 1;
  }
  return [...counts.values()];
}

async function* recordBatches(
  collections: readonly [CollectionName, ReadonlyMap<string, string>][],
): AsyncGenerator<StoredRecord[]> {
  for (const [collection, texts] of collections) {
    yield [...texts].map(([id, text]) => toStoredRecord(collection, id, text));
  }
}

async function* inBatches(rows: readonly Pick<TaskRow, "spec" | "status" | "seq">[]): AsyncGenerator<LiveTask[]> {
  for (let start = 0; start < rows.length; start += limits.storeStepRowsMax) {
    const batch = rows.slice(start, start + limits.storeStepRowsMax);
    yield batch.map(({ spec, status, seq }) => ({ head: toHead(spec), status: toStatus(status), seq }));
  }
}

/** What is kept of a piece: readers ask by task and attempt. */
function copyOf({ task, attempt, offset, at, bytes, isTruncated }: LogChunk): LogChunk {
  return { task, attempt, offset, at, bytes: bytes.slice(), isTruncated };
}
