/**
 * Which unfinished tasks wait for which others. A task that is not in memory has ended; it has succeeded unless there is a record
 * of its failure, which is kept while anybody is blocked by it. So all of this can be rebuilt from the journal.
 */
import type { FailedDependency } from "../../model/collections/failedDependencies.ts";
import { rootOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { FinalState } from "../../model/task.ts";
import type { Batch } from "./effects.ts";
import type { LiveTask } from "./liveTask.ts";
import type { RecordModule } from "./recordModule.ts";

export class Dependencies implements RecordModule<FailedDependency> {
  /** While it leads: blocked tasks, by each of the tasks that they wait for, also those that have ended: a retry may open them again. */
  readonly #waiters = new Map<TaskId, Set<LiveTask>>();
  readonly #failed = new Map<string, FailedDependency>();
  /** Families that others wait for, by their root: how many unfinished tasks name one of their tasks. */
  readonly #pins = new Map<TaskId, number>();
  /** While it leads: blocked tasks of which everything that they wait for has ended. */
  #due: LiveTask[] = [];

  put(id: string, record: FailedDependency | null): void {
    if (record === null) this.#failed.delete(id);
    else this.#failed.set(id, record);
  }

  recordOf(id: string): FailedDependency | null {
    return this.#failed.get(id) ?? null;
  }

  /** The task is blocked from now on. `isLive` tells which tasks have not ended. */
  block(task: LiveTask, isLive: (id: TaskId) => boolean): void {
    const { links } = task;
    if (links === null) return;
    links.open = 0;
    for (const id of links.after) {
      if (isLive(id)) links.open += 1;
      this.#waitersOf(id).add(task);
    }
    if (links.open === 0) this.#due.push(task);
  }

  /** A task has ended. Those that wait for it may be due now. */
  noteEnd(batch: Batch, task: LiveTask, end: FinalState): void {
    this.unblock(batch, task);
    const waiters = this.#waiters.get(task.id);
    if (waiters === undefined) return;
    if (end !== "success") this.noteFailure(batch, task.id, end);
    for (const waiter of waiters) {
      if (waiter.links === null) continue;
      waiter.links.open -= 1;
      if (waiter.links.open === 0) this.#due.push(waiter);
    }
  }

  /** A task that had ended is open again: those that are still blocked wait for it once more. */
  noteReopened(batch: Batch, id: TaskId): void {
    for (const { links } of this.#waiters.get(id) ?? []) if (links !== null) links.open += 1;
    if (!this.#failed.delete(id)) return;
    batch.out.writes.push({ kind: "record", collection: "failedDependencies", id, value: null });
  }

  /** Somebody is about to wait for a task, or waits for one, that has ended like this. */
  noteFailure(batch: Batch, id: TaskId, state: Exclude<FinalState, "success">): void {
    if (this.#failed.has(id)) return;
    const value = { state };
    this.#failed.set(id, value);
    batch.out.writes.push({ kind: "record", collection: "failedDependencies", id, value });
  }

  /** The task waits no more: it may start, or will not. Nothing changes for a task that is not blocked. */
  unblock(batch: Batch, task: LiveTask): void {
    for (const id of task.links?.after ?? []) {
      const waiters = this.#waiters.get(id);
      if (waiters === undefined || !waiters.delete(task) || waiters.size > 0) continue;
      this.#waiters.delete(id);
      if (!this.#failed.delete(id)) continue;
      batch.out.writes.push({ kind: "record", collection: "failedDependencies", id, value: null });
    }
  }

  /** The first of the tasks that it waits for that has not succeeded; undefined if there is none so far. */
  failureBefore(task: LiveTask): TaskId | undefined {
    return task.links?.after.find((id) => this.#failed.has(id));
  }

  /** Blocked tasks that name this one. */
  *waitersOf(id: TaskId): Generator<TaskId> {
    for (const waiter of this.#waiters.get(id) ?? []) yield waiter.id;
  }

  get hasDue(): boolean {
    return this.#due.length > 0;
  }

  /** At most `max` tasks of which something must be decided. */
  takeDue(max: number): readonly LiveTask[] {
    const due = this.#due.slice(0, max);
    this.#due = this.#due.slice(max);
    return due;
  }

  /** The tasks that it names stay in the store, with their outputs, until it has ended. */
  pin(task: LiveTask): void {
    for (const root of foreignRoots(task)) this.#pins.set(root, (this.#pins.get(root) ?? 0) + 1);
  }

  unpin(task: LiveTask): void {
    for (const root of foreignRoots(task)) {
      const count = (this.#pins.get(root) ?? 0) - 1;
      if (count > 0) this.#pins.set(root, count);
      else this.#pins.delete(root);
    }
  }

  isPinned(root: TaskId): boolean {
    return this.#pins.has(root);
  }

  /** Roots of the families that must stay. */
  get pinned(): ReadonlyMap<TaskId, number> {
    return this.#pins;
  }

  #waitersOf(id: TaskId): Set<LiveTask> {
    let waiters = this.#waiters.get(id);
    if (waiters === undefined) {
      waiters = new Set();
      this.#waiters.set(id, waiters);
    }
    return waiters;
  }
}

const noRoots: ReadonlySet<TaskId> = new Set();

/** A family is forgotten whole, its root last, so that its own tasks need no pin. */
function foreignRoots(task: LiveTask): ReadonlySet<TaskId> {
  if (task.links === null) return noRoots;
  const roots = new Set<TaskId>();
  const own = rootOf(task.id);
  for (const id of task.links.after) {
    const root = rootOf(id);
    if (root !== own) roots.add(root);
  }
  return roots;
}
