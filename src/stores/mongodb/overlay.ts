/** What some entries in a row say about tasks and records, over whatever the collections hold. */
import { crc32 } from "node:zlib";
import { ownerOf } from "../../model/collections/table.ts";
import type { Entry, OutgoingEntry, Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskSpec, TaskStatus } from "../../model/task.ts";
import { type Changes, changesOf } from "../changes.ts";
import type { Derived } from "./derived.ts";

/** One committed entry as the view needs it. */
export interface Step {
  readonly seq: number;
  readonly epoch: number;
  readonly nonce: string;
  readonly crc: number;
  readonly at: number;
  readonly changes: Changes;
  /** Places in the order of creation of the tasks that are new in this entry. */
  readonly ords: ReadonlyMap<TaskId, number>;
  readonly derived: Derived;
  /** Of its body, in UTF-16 units. */
  readonly length: number;
}

/** A task as far as the entries tell. Never changed: whoever holds one sees one instant. */
export interface PendingTask {
  /** True if a document that is not of these entries is of an earlier life of this id. With `spec` null the task is gone. */
  readonly isReborn: boolean;
  readonly spec: TaskSpec | null;
  readonly specText: string;
  readonly status: TaskStatus | null;
  readonly statusText: string;
  /** Of the entry that wrote the status. */
  readonly statusSeq: number;
  readonly ord: number | null;
  /** Of the last entry that says anything of it. */
  readonly seq: number;
  /** When that entry was decided. */
  readonly at: number;
}

/** A task of which the entries tell everything. */
export interface WholeTask extends PendingTask {
  readonly spec: TaskSpec;
  readonly status: TaskStatus;
  readonly ord: number;
}

export interface PendingRecord {
  readonly place: string;
  readonly key: string;
  /** Of the task that it belongs to; null if it belongs to none. */
  readonly ord: number | null;
  /** JSON text; null where the record is gone. */
  readonly text: string | null;
  readonly instant: number | null;
  readonly seq: number;
  readonly at: number;
}

export class Overlay {
  readonly tasks = new Map<TaskId, PendingTask>();
  /** By `place key`. */
  readonly records = new Map<string, PendingRecord>();

  apply(step: Step): void {
    const { seq, at, changes, ords } = step;
    for (const id of changes.forgottenTasks) this.tasks.set(id, { ...unknownTask, isReborn: true, seq, at });
    for (const [id, change] of changes.tasks) {
      const ord = ords.get(id) ?? null;
      const before = ord === null ? (this.tasks.get(id) ?? unknownTask) : { ...unknownTask, isReborn: true, ord };
      const { spec, specText, status, statusText } = change;
      this.tasks.set(id, {
        ...before,
        ...(spec === null ? {} : { spec, specText }),
        ...(status === null ? {} : { status, statusText, statusSeq: seq }),
        seq,
        at,
      });
    }
    for (const record of recordsOf(step)) this.records.set(recordKey(record), record);
  }

  /** Drops what no entry above `seq` speaks of. */
  prune(step: Step, seq: number): void {
    const ids = [...step.changes.forgottenTasks, ...step.changes.tasks.keys()];
    for (const id of ids) if ((this.tasks.get(id)?.seq ?? 0) <= seq) this.tasks.delete(id);
    for (const record of recordsOf(step)) {
      const key = recordKey(record);
      if ((this.records.get(key)?.seq ?? 0) <= seq) this.records.delete(key);
    }
  }

  clear(): void {
    this.tasks.clear();
    this.records.clear();
  }

  copy(): Overlay {
    const copy = new Overlay();
    for (const [id, task] of this.tasks) copy.tasks.set(id, task);
    for (const [key, record] of this.records) copy.records.set(key, record);
    return copy;
  }
}

const unknownTask: PendingTask = {
  isReborn: false,
  spec: null,
  specText: "",
  status: null,
  statusText: "",
  statusSeq: 0,
  ord: null,
  seq: 0,
  at: 0,
};

export function isWhole(task: PendingTask): task is WholeTask {
  return task.spec !== null && task.status !== null && task.ord !== null;
}

export function isGone(task: PendingTask): boolean {
  return task.isReborn && task.spec === null;
}

/** The records that an entry changes, each in its place. */
function recordsOf({ seq, at, changes, ords, derived }: Step): PendingRecord[] {
  return changes.records.flatMap(({ collection, id, text, instant }): PendingRecord[] => {
    const owner = ownerOf(id);
    if (owner === null) return [{ place: collection, key: id, ord: null, text, instant, seq, at }];
    const ord = ords.get(owner.task as TaskId) ?? derived.owners?.[owner.task];
    // What is removed from a task that is not there was not there either.
    if (ord === undefined) return [];
    return [{ place: placeOfTask(collection, ord), key: owner.key, ord, text, instant, seq, at }];
  });
}

/** Where the records of one collection stand that belong to one task. Another task of the same id has another place. */
export function placeOfTask(collection: string, ord: number): string {
  return `${collection}/${ord}`;
}

export function recordKey({ place, key }: { readonly place: string; readonly key: string }): string {
  return `${place} ${key}`;
}

export function toStep(entry: OutgoingEntry, derived: Derived, changes: Changes = changesOf(entry)): Step {
  const { seq, epoch, nonce, crc, at, body } = entry;
  const again = new Set(derived.again);
  const fresh = [...changes.tasks].filter(([id, { spec }]) => spec !== null && !again.has(id)).map(([id]) => id);
  const first = derived.ordMax - fresh.length + 1;
  const ords = new Map(fresh.map((id, index) => [id, first + index]));
  return { seq, epoch, nonce, crc, at, changes, ords, derived, length: body.length };
}

/** An entry that was read, as if it were to be written: with its writes and their texts at hand. */
export function toOutgoing(entry: Entry): OutgoingEntry {
  const writes = JSON.parse(entry.body) as Write[];
  return { ...entry, writes, texts: writes.map(textOf) };
}

/** As far as the fold of an entry needs it. */
function textOf(write: Write): string {
  switch (write.kind) {
    case "spec":
      return JSON.stringify(write.spec);
    case "status":
      return JSON.stringify(write.status);
    case "record":
      return JSON.stringify(write.value);
    case "forget-task":
    case "reopen-task":
    case "digest":
    case "marker":
      return "";
    default:
      return write satisfies never;
  }
}

/** The checksum of a record in its collection. */
export function recordSum(key: string, seq: number, text: string | null): number {
  return crc32(`${key} ${seq} ${text ?? ""}`);
}
