/** The view that a simulated store keeps: tasks and records as the entries up to some seq make them. */

import { type AttemptRecord, type EndedAttempt, lastAttemptOf } from "../../model/attemptRecord.ts";
import {
  type CollectionName,
  type CollectionVersions,
  ownerOf,
  type RecordValue,
} from "../../model/collections/table.ts";
import type { RecordWrite, Write } from "../../model/entry.ts";
import { OutlastError } from "../../model/errors.ts";
import { isDescendant, rootOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskDocument, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import type { AttemptQuery, ExpiredTask, LiveTask, Retention, StateCount, TaskQuery } from "../../ports/store.ts";

interface StoredStatus {
  readonly status: TaskStatus;
  readonly seq: number;
}

export class StoreView {
  /** Every entry up to here is in it. */
  seq = 0;
  readonly specs = new Map<TaskId, TaskSpec>();
  readonly statuses = new Map<TaskId, StoredStatus>();
  /** By collection, then by id. */
  readonly #records = new Map<CollectionName, Map<string, unknown>>();
  /** What the last marker lists. */
  collections: CollectionVersions | null = null;
  #unfinished = 0;
  #statusCount = 0;

  /** Tasks that are not final. */
  get unfinishedCount(): number {
    return this.#unfinished;
  }

  /** How often any task has changed. */
  get statusCount(): number {
    return this.#statusCount;
  }

  apply(seq: number, writes: readonly Write[]): void {
    for (const write of writes) this.#apply(write, seq);
    this.seq = seq;
  }

  /** All records of a collection, by id. */
  records<Name extends CollectionName>(collection: Name): ReadonlyMap<string, RecordValue<Name>> {
    return (this.#records.get(collection) ?? new Map()) as ReadonlyMap<string, RecordValue<Name>>;
  }

  document(id: TaskId): TaskDocument | null {
    const spec = this.specs.get(id);
    const stored = this.statuses.get(id);
    return spec === undefined || stored === undefined ? null : { ...spec, ...stored.status };
  }

  /** The tasks of a list, all of them. */
  listed({ states, queue, parent, isRoot = false, order }: TaskQuery): TaskDocument[] {
    const documents = [...this.specs.keys()]
      .map((id) => this.document(id))
      .filter((document) => document !== null)
      .filter((document) => states?.includes(document.state) ?? true)
      .filter((document) => queue === undefined || document.queue === queue)
      .filter((document) => parent === undefined || document.parent === parent)
      .filter((document) => !isRoot || document.parent === undefined);
    return order === "newest" ? documents.reverse() : documents;
  }

  /** Attempts of all tasks that ended from an instant on and were assigned before another one, by when they ended. */
  attempts({ from, to, worker }: Pick<AttemptQuery, "from" | "to" | "worker">): EndedAttempt[] {
    const named = ({ id: task, name }: TaskSpec, { endedAt, outcome, ...rest }: AttemptRecord): EndedAttempt[] =>
      endedAt === undefined || outcome === undefined ? [] : [{ task, name, ...rest, endedAt, outcome }];
    const recorded = [...this.records("attempts")].flatMap(([id, record]) => {
      const spec = this.specs.get(ownerOf(id)?.task as TaskId);
      return spec === undefined ? [] : named(spec, record);
    });
    const last = [...this.specs.values()].flatMap((spec) => {
      const status = this.statuses.get(spec.id)?.status;
      const record = status === undefined ? null : lastAttemptOf(status);
      return record === null ? [] : named(spec, record);
    });
    return [...recorded, ...last]
      .filter((attempt) => attempt.endedAt >= from && attempt.assignedAt < to)
      .filter((attempt) => worker === undefined || worker === attempt.worker)
      .sort((one, other) => one.endedAt - other.endedAt);
  }

  liveTasks(): LiveTask[] {
    return [...this.statuses].flatMap(([id, { status, seq }]) => {
      const spec = this.specs.get(id);
      if (spec === undefined || isFinal(status.state)) return [];
      const { name: _name, input: _input, ...head } = spec;
      return [{ head, status, seq }];
    });
  }

  finishedCounts(): StateCount[] {
    const counts = new Map<string, { queue: string; state: StateCount["state"]; count: number }>();
    for (const { queue, state } of this.#finished()) {
      const key = `${queue} ${state}`;
      const counted = counts.get(key) ?? { queue, state, count: 0 };
      counted.count += 1;
      counts.set(key, counted);
    }
    return [...counts.values()];
  }

  /** Those that ended first come first; of one instant those that were created first, as the Map keeps them. */
  expired({ endedBefore, keepMax, pinned = [] }: Retention, max: number): ExpiredTask[] {
    const finished = this.#finished().sort((one, other) => one.endedAt - other.endedAt);
    const found: ExpiredTask[] = [];
    const roots = finished
      .filter(({ id }) => !isDescendant(id) && !pinned.includes(id))
      .filter(({ endedAt }, index) => index < finished.length - keepMax || endedAt < endedBefore);
    // A family goes whole: what is below a root first.
    for (const root of roots) {
      const isDue = root.endedAt < endedBefore;
      if (found.length >= max || (!isDue && found.length >= finished.length - keepMax)) break;
      const below = finished
        .filter(({ id }) => isDescendant(id) && rootOf(id) === root.id)
        .slice(0, max - found.length);
      found.push(...(below.length > 0 ? below : [root]));
    }
    return found.map(({ id, queue, state }) => ({ id, queue, state }));
  }

  #finished(): (ExpiredTask & { readonly endedAt: number })[] {
    return [...this.specs.values()].flatMap(({ id, queue }) => {
      const status = this.statuses.get(id)?.status;
      if (status === undefined || !isFinal(status.state)) return [];
      return [{ id, queue, state: status.state, endedAt: status.changedAt }];
    });
  }

  #applyRecord({ collection, id, value }: RecordWrite): void {
    const records = this.#records.get(collection) ?? new Map<string, unknown>();
    this.#records.set(collection, records);
    if (value === null) records.delete(id);
    else records.set(id, value);
  }

  #apply(write: Write, seq: number): void {
    switch (write.kind) {
      case "spec":
        this.specs.set(write.spec.id, write.spec);
        return;
      case "status": {
        const before = this.statuses.get(write.status.id)?.status.state;
        if (before !== undefined && !isFinal(before)) this.#unfinished -= 1;
        if (!isFinal(write.status.state)) this.#unfinished += 1;
        this.#statusCount += 1;
        this.statuses.set(write.status.id, { status: write.status, seq });
        return;
      }
      case "record":
        return this.#applyRecord(write);
      case "forget-task":
        this.specs.delete(write.id);
        this.statuses.delete(write.id);
        for (const records of this.#records.values())
          for (const id of records.keys()) if (ownerOf(id)?.task === write.id) records.delete(id);
        return;
      case "marker":
        this.collections = write.collections;
        return;
      case "reopen-task":
      case "digest":
        return;
      default:
        write satisfies never;
    }
  }
}

/** A cursor of simulated lists is a number: how many came before. */
export function pageOf<Item>(
  items: readonly Item[],
  { cursor, limit }: { readonly cursor: string | null; readonly limit: number },
): { readonly items: readonly Item[]; readonly cursor: string | null } {
  const start = Number(cursor ?? 0);
  if (!Number.isInteger(start)) throw new OutlastError("bad-request", "No such cursor.");
  const end = start + limit;
  return { items: items.slice(start, end), cursor: end < items.length ? String(end) : null };
}
