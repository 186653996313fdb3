/** The memory of schedules: their records, those whose tick comes next, and those with ticks that wait for an earlier task. */

import { finishHash, hashNumber, hashSeed, hashText } from "../../model/hash.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { type ScheduleRecord, type SkippedTicks, triggerMark } from "../../model/schedules/schedule.ts";
import { Heap, type HeapItem } from "../heap.ts";
import type { Batch } from "./effects.ts";
import type { RecordModule } from "./recordModule.ts";

/** A schedule in the heap of those that have a next tick. */
export class LiveSchedule implements HeapItem {
  record: ScheduleRecord;
  /** The next tick with its jitter. */
  fireAt = 0;
  heapIndex = -1;
  /** True while its change is not written yet: once for each batch, however many ticks it settles. */
  isDirty = false;

  constructor(record: ScheduleRecord) {
    this.record = record;
  }
}

export class Schedules implements RecordModule<ScheduleRecord> {
  readonly #byName = new Map<string, LiveSchedule>();
  readonly #next = new Heap<LiveSchedule>(
    (a, b) => a.fireAt < b.fireAt || (a.fireAt === b.fireAt && a.record.name < b.record.name),
  );
  readonly #waiting = new Set<LiveSchedule>();
  /** While it leads: names of those whose next tick was worked out by an earlier leader, which may have had other time zone data. */
  readonly unchecked = new Set<string>();
  nextCheckAt = 0;
  #dirty: LiveSchedule[] = [];

  put(name: string, record: ScheduleRecord | null): void {
    const schedule = this.#byName.get(name);
    if (record === null) {
      if (schedule !== undefined) this.#unplace(schedule);
      this.#byName.delete(name);
    } else if (schedule === undefined) {
      const fresh = new LiveSchedule(record);
      this.#byName.set(name, fresh);
      this.#place(fresh);
    } else {
      this.#unplace(schedule);
      schedule.record = record;
      this.#place(schedule);
    }
  }

  recordOf(name: string): ScheduleRecord | null {
    return this.#byName.get(name)?.record ?? null;
  }

  get(name: string): LiveSchedule | undefined {
    return this.#byName.get(name);
  }

  get size(): number {
    return this.#byName.size;
  }

  /** A new leader begins: what follows from the clocks of a time zone is worked out anew. */
  uncheckAll(): void {
    this.unchecked.clear();
    this.nextCheckAt = 0;
    for (const [name, { record }] of this.#byName) if (hasClocks(record)) this.unchecked.add(name);
  }

  /** The schedule whose tick comes first. */
  first(): LiveSchedule | undefined {
    return this.#next.peek();
  }

  /** Schedules with ticks that wait for the end of an earlier task. */
  get waiting(): ReadonlySet<LiveSchedule> {
    return this.#waiting;
  }

  /** Takes a decision into memory; it is written when the batch closes. */
  change(schedule: LiveSchedule, change: Partial<ScheduleRecord>): void {
    this.put(schedule.record.name, { ...schedule.record, ...change });
    if (schedule.isDirty) return;
    schedule.isDirty = true;
    this.#dirty.push(schedule);
  }

  /** Its next tick is looked at again at `at`; its record does not change. */
  postpone(schedule: LiveSchedule, at: number): void {
    if (schedule.heapIndex === -1) return;
    this.#next.remove(schedule);
    schedule.fireAt = at;
    this.#next.push(schedule);
  }

  add(record: ScheduleRecord): void {
    this.put(record.name, record);
    const schedule = this.#byName.get(record.name);
    if (schedule !== undefined) this.change(schedule, {});
  }

  writeTouched(batch: Batch): void {
    for (const schedule of this.#dirty) {
      schedule.isDirty = false;
      const { record } = schedule;
      batch.out.writes.push({ kind: "record", collection: "schedules", id: record.name, value: record });
    }
    this.#dirty = [];
  }

  #place(schedule: LiveSchedule): void {
    const { name, nextAt, isPaused, isRemoved, content, queued } = schedule.record;
    if (queued.length > 0) this.#waiting.add(schedule);
    if (nextAt === null || isPaused || isRemoved === true) return;
    schedule.fireAt = nextAt + jitterOf(name, nextAt, content.jitterMs ?? 0);
    this.#next.push(schedule);
  }

  #unplace(schedule: LiveSchedule): void {
    this.#waiting.delete(schedule);
    if (schedule.heapIndex !== -1) this.#next.remove(schedule);
  }
}

function hasClocks({ content: { when }, nextAt, isRemoved }: ScheduleRecord): boolean {
  return "cron" in when && (when.timeZone ?? "UTC") !== "UTC" && nextAt !== null && isRemoved !== true;
}

/** Of one tick always the same, so that a new leader fires it at the same instant. */
function jitterOf(name: string, tickAt: number, jitterMs: number): number {
  return finishHash(hashNumber(hashText(hashSeed, name), tickAt / 1000)) % (jitterMs + 1);
}

/** True if a tick of this schedule has made the task; not for its children, nor for what was made by `trigger`. */
export function isTickOf(schedule: string, id: TaskId): boolean {
  const begin = `${schedule}@`;
  return id.startsWith(begin) && !id.startsWith(`${begin}${triggerMark}`) && !id.includes("~");
}

/** The skipped ticks of a record with one more, or several in a row. Neighbours with the same reason become one row. */
export function withSkipped({ skipped, settledAt }: ScheduleRecord, next: SkippedTicks): readonly SkippedTicks[] {
  const last = skipped.at(-1);
  if (last?.reason === next.reason && last.to === settledAt && next.from > settledAt) {
    return [...skipped.slice(0, -1), { ...last, to: next.to }];
  }
  return [...skipped, next].slice(-limits.skippedTicksMax);
}
