/**
 * Sets of children: who belongs to whom, how many have ended and how. A set is known by the prefix that the ids of its children
 * share, so a child leads to its set without a search, and a set to its children. The counts are records of the journal: they
 * are kept with every end of a child and never recounted.
 */
import { ownedRecordId } from "../../model/collections/table.ts";
import {
  type ChildrenOutcome,
  type ChildSetRecord,
  childId,
  childPrefix,
  type FailedChild,
  noItems,
  type Pace,
  prefixOf,
} from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { FinalState, TaskState } from "../../model/task.ts";
import type { Batch } from "./effects.ts";
import type { RecordModule } from "./recordModule.ts";

export interface ChildSetOptions {
  readonly onFailure: ChildSetRecord["onFailure"];
  readonly failuresMax: number | null;
  readonly concurrencyMax: number | null;
  readonly backups?: true;
}

const noPace: Pace = { timed: 0, logSum: 0, byBackup: 0 };

export class ChildSet {
  readonly prefix: string;
  /** Empty while only children of it are known: its record comes with the same entry or load. */
  parent: TaskId = "" as TaskId;
  key = "";
  created = 0;
  fingerprint = noItems;
  isSealed = false;
  options: ChildSetOptions = { onFailure: "wait", failuresMax: null, concurrencyMax: null };
  succeeded = 0;
  failed = 0;
  cancelled = 0;
  skipped = 0;
  firstFailed: FailedChild | null = null;
  pace: Pace = noPace;
  /** While it leads: children that are in a lane or beyond it and have not ended. Counted only where their number is bounded. */
  active = 0;
  /** While it leads: children before this index have been let into their lanes. */
  released = 0;
  /** Children that have not ended, by state. */
  readonly unfinished: Partial<Record<TaskState, number>> = {};
  isDirty = false;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  get ended(): number {
    return this.succeeded + this.failed + this.cancelled + this.skipped;
  }

  get open(): number {
    return this.created - this.ended;
  }

  /** True if no more children come and all have ended. */
  get isOver(): boolean {
    return this.isSealed && this.open === 0;
  }

  /** True if more children have failed than the set allows, so that the rest is cancelled. */
  get isBroken(): boolean {
    return this.options.onFailure === "cancel" && this.failed > (this.options.failuresMax ?? 0);
  }

  /** True for the nodes of a graph. */
  get isGraph(): boolean {
    return this.options.onFailure === "stop" || this.options.onFailure === "continue";
  }

  /** True while nothing of a graph starts, since not all of its nodes are there. */
  get isHeld(): boolean {
    return this.isGraph && !this.isSealed;
  }

  /** True once a node has failed in a graph that starts nothing more then, except by `runIf`. */
  get isStopped(): boolean {
    return this.options.onFailure === "stop" && this.failed + this.cancelled > 0;
  }

  /** A child has succeeded: by itself after so long, or with the result of its backup. */
  time(ms: number, isByBackup: boolean): void {
    const { timed, logSum, byBackup } = this.pace;
    const log = Math.round(1_000 * Math.log(Math.max(1, ms)));
    this.pace = isByBackup
      ? { timed, logSum, byBackup: byBackup + 1 }
      : { timed: timed + 1, logSum: logSum + log, byBackup };
  }

  /** How long children take: their geometric mean, which single slow ones hardly change. Null while that is not known. */
  get typicalMs(): number | null {
    const { timed, logSum } = this.pace;
    return timed === 0 ? null : Math.exp(logSum / timed / 1_000);
  }

  childAt(index: number): TaskId {
    return childId(this.prefix, index);
  }

  count(child: FailedChild, state: FinalState): void {
    if (state === "success") this.succeeded += 1;
    else if (state === "cancelled") this.cancelled += 1;
    else if (state === "skipped") this.skipped += 1;
    else {
      this.failed += 1;
      this.firstFailed ??= child;
    }
  }

  /** A child that had ended like this is open again. */
  uncount(id: TaskId, state: FinalState): void {
    if (state === "success") this.succeeded -= 1;
    else if (state === "cancelled") this.cancelled -= 1;
    else if (state === "skipped") this.skipped -= 1;
    else this.failed -= 1;
    if (this.firstFailed?.id === id) this.firstFailed = null;
  }

  get outcome(): ChildrenOutcome {
    const { created: total, succeeded, failed, cancelled, skipped, firstFailed } = this;
    return {
      ...{ total, succeeded, failed, cancelled },
      ...(skipped > 0 && { skipped }),
      ...(firstFailed !== null && { firstFailed }),
      ...(this.pace.byBackup > 0 && { byBackup: this.pace.byBackup }),
    };
  }

  toRecord(): ChildSetRecord {
    const { parent, key, created, fingerprint, isSealed, succeeded, failed, cancelled, skipped, firstFailed } = this;
    const counts = {
      ...{ succeeded, failed, cancelled },
      ...(skipped > 0 && { skipped }),
      ...(firstFailed !== null && { firstFailed }),
      ...(this.pace !== noPace && { pace: this.pace }),
    };
    return { parent, key, created, fingerprint, isSealed, ...this.options, ...counts };
  }

  restore(record: ChildSetRecord): void {
    const { parent, key, created, fingerprint, isSealed, succeeded, failed, cancelled, firstFailed = null } = record;
    const { onFailure, failuresMax, concurrencyMax, backups, skipped = 0 } = record;
    this.pace = record.pace ?? noPace;
    this.skipped = skipped;
    Object.assign(this, { parent, key, created, fingerprint, isSealed, succeeded, failed, cancelled, firstFailed });
    this.options = { onFailure, failuresMax, concurrencyMax, ...(backups !== undefined && { backups }) };
  }
}

export class Families implements RecordModule<ChildSetRecord> {
  readonly #byPrefix = new Map<string, ChildSet>();
  readonly #byParent = new Map<TaskId, Set<ChildSet>>();
  /** Sets whose slow children get backups. */
  readonly withBackups = new Set<ChildSet>();
  #dirty: ChildSet[] = [];

  put(prefix: string, record: ChildSetRecord | null): void {
    if (record === null) return this.#remove(prefix);
    const set = this.#open(prefix);
    set.restore(record);
    this.#adopt(set);
  }

  recordOf(prefix: string): ChildSetRecord | null {
    const set = this.#byPrefix.get(prefix);
    return set === undefined || set.key === "" ? null : set.toRecord();
  }

  [Symbol.iterator](): Iterator<ChildSet> {
    return this.#byPrefix.values();
  }

  /** The sets of a task that are not over, or whose end it has not taken notice of. */
  of(parent: TaskId): ReadonlySet<ChildSet> {
    return this.#byParent.get(parent) ?? none;
  }

  find(parent: TaskId, epoch: number, key: string): ChildSet | undefined {
    return this.#byPrefix.get(childPrefix(parent, epoch, key));
  }

  /** The set that a child belongs to. */
  ofChild(id: TaskId): ChildSet {
    return this.at(prefixOf(id));
  }

  /** The set of this prefix, also while only children of it are known. */
  at(prefix: string): ChildSet {
    return this.#open(prefix);
  }

  create(parent: TaskId, epoch: number, key: string, options: ChildSetOptions): ChildSet {
    const set = this.#open(childPrefix(parent, epoch, key));
    set.parent = parent;
    set.key = key;
    set.options = options;
    this.#adopt(set);
    return set;
  }

  openChildren(parent: TaskId): number {
    let open = 0;
    for (const set of this.of(parent)) open += set.open;
    return open;
  }

  /** Its record is written when the batch closes, once, however many children end in it. */
  touch(set: ChildSet): void {
    if (set.isDirty) return;
    set.isDirty = true;
    this.#dirty.push(set);
  }

  /** The parent has taken notice of its end, or has ended itself. What is known of the set stays for a retry. */
  drop(batch: Batch, set: ChildSet, isNoticed: boolean): void {
    const value = { ...set.toRecord(), ...(isNoticed && { isNoticed }) };
    const id = ownedRecordId(set.parent, set.prefix);
    batch.out.writes.push({ kind: "record", collection: "endedSets", id, value });
    set.isDirty = false;
    this.#remove(set.prefix);
    batch.out.writes.push({ kind: "record", collection: "childSets", id: set.prefix, value: null });
  }

  writeTouched(batch: Batch): void {
    if (this.#dirty.length === 0) return;
    for (const set of this.#dirty) {
      if (!set.isDirty) continue;
      set.isDirty = false;
      batch.out.writes.push({ kind: "record", collection: "childSets", id: set.prefix, value: set.toRecord() });
    }
    this.#dirty = [];
  }

  #open(prefix: string): ChildSet {
    let set = this.#byPrefix.get(prefix);
    if (set === undefined) {
      set = new ChildSet(prefix);
      this.#byPrefix.set(prefix, set);
    }
    return set;
  }

  #adopt(set: ChildSet): void {
    const siblings = this.#byParent.get(set.parent);
    if (siblings === undefined) this.#byParent.set(set.parent, new Set([set]));
    else siblings.add(set);
    if (set.options.backups === true) this.withBackups.add(set);
  }

  #remove(prefix: string): void {
    const set = this.#byPrefix.get(prefix);
    if (set === undefined) return;
    this.#byPrefix.delete(prefix);
    this.withBackups.delete(set);
    const siblings = this.#byParent.get(set.parent);
    siblings?.delete(set);
    if (siblings?.size === 0) this.#byParent.delete(set.parent);
  }
}

const none: ReadonlySet<ChildSet> = new Set();
