/** The view that a simulated store keeps: tasks and records as the entries up to some seq make them. */

import {
  type CollectionName,
  type CollectionVersions,
  ownerOf,
  type RecordValue,
} from "../../model/collections/table.ts";
import type { RecordWrite, Write } from "../../model/entry.ts";
import { isDescendant, rootOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskDocument, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import type { ExpiredTask, LiveTask, Retention, StateCount } from "../../ports/store.ts";

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
      case "digest":
        return;
      default:
        write satisfies never;
    }
  }
}
