/**
 * I31: no task is assigned beyond the bound of its queue, its queue's rate, or its keys. Attempts count from their
 * assignment until their process has ended or their worker is lost.
 */

import type { TaskSpec, TaskStatus } from "../../model/task.ts";
import type { QueueRecord } from "../../model/worker.ts";
import { checker, type Report } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { type Execution, executions, name } from "./reading.ts";
import { checkUniqueAnswers, UniqueBoard } from "./uniqueKept.ts";

export const limitsKept = checker("I31", "limits of queues and keys are kept", (history, report) => {
  const board = new Board();
  const unique = new UniqueBoard();
  const groups = executionsByGroup(history, ({ queue, concurrencyKey }) => scope(queue, concurrencyKey));
  const uniqueGroups = executionsByGroup(history, ({ queue, uniqueKey }) => scope(queue, uniqueKey));
  for (const entry of history.entries) {
    const assigned = board.apply(entry);
    unique.apply(entry, report);
    for (const status of assigned) {
      unique.checkStart(status, entry, report);
      checkUniqueProcesses(board, status, entry, uniqueGroups, report);
    }
    for (const status of assigned) checkQueue(board, status, entry, report);
    // The writes of one entry are in no order of their own: those with the smallest bound were assigned first.
    const byBound = assigned.toSorted((a, b) => board.boundOf(a) - board.boundOf(b));
    for (const [index, status] of byBound.entries()) {
      board.later = new Set(byBound.slice(index + 1).map(({ id }) => id));
      checkKey(board, status, entry, groups, report);
    }
    board.later = new Set();
    checkRates(board, assigned, entry, report);
  }
  checkUniqueAnswers(history, report);
});

/** What the journal says at one point. */
class Board {
  readonly specs = new Map<string, TaskSpec>();
  readonly running = new Map<string, TaskStatus>();
  readonly queues = new Map<string, QueueRecord>();
  /** The boot that holds the place of each worker, unless it is given up. */
  readonly boots = new Map<string, string>();
  /**
   * When a boot was last given up, or another one took its place: the `order` of the entry. What it ran by then holds nothing, also
   * if it comes back: it had been taken for dead.
   */
  readonly givenUpIn = new Map<string, number>();
  /** Of queues with a rate, since it was set: their starts in the present term. */
  readonly starts = new Map<string, number[]>();
  /** Tasks that do not count yet. */
  later: ReadonlySet<string> = new Set();
  #epoch = 0;

  /** @returns what this entry assigned */
  apply(entry: LandedEntry): TaskStatus[] {
    if (entry.epoch !== this.#epoch) this.starts.clear();
    this.#epoch = entry.epoch;
    const assigned: TaskStatus[] = [];
    for (const write of entry.writes) {
      if (write.kind === "spec") this.specs.set(write.spec.id, write.spec);
      if (write.kind === "record" && write.collection === "queues") {
        if (write.value === null) this.queues.delete(write.id);
        else this.queues.set(write.id, write.value);
        this.starts.delete(write.id);
      }
      if (write.kind === "record" && write.collection === "workers") {
        const before = this.boots.get(write.id);
        if (before !== undefined && before !== write.value?.boot) this.givenUpIn.set(before, entry.order);
        if (write.value?.state === "connected") this.boots.set(write.id, write.value.boot);
        else this.boots.delete(write.id);
        if (write.value?.state === "lost") this.givenUpIn.set(write.value.boot, entry.order);
      }
      if (write.kind !== "status") continue;
      const { status } = write;
      const isNew = status.state === "running" && this.running.get(status.id)?.attempt !== status.attempt;
      if (status.state === "running") this.running.set(status.id, status);
      else this.running.delete(status.id);
      if (isNew) assigned.push(status);
    }
    return assigned;
  }

  boundOf({ id }: TaskStatus): number {
    return this.specs.get(id)?.concurrencyMax ?? 1;
  }

  count(isCounted: (spec: TaskSpec) => boolean): number {
    let count = 0;
    for (const id of this.running.keys()) {
      const spec = this.later.has(id) ? undefined : this.specs.get(id);
      if (spec !== undefined && isCounted(spec)) count += 1;
    }
    return count;
  }
}

function checkQueue(board: Board, { id, attempt }: TaskStatus, entry: LandedEntry, report: Report): void {
  const queue = board.specs.get(id)?.queue ?? "";
  const max = board.queues.get(queue)?.concurrencyMax;
  if (max === undefined) return;
  const count = board.count((spec) => spec.queue === queue);
  if (count > max)
    report(`${name(id, attempt)} is one of ${count} of queue ${queue}, which runs ${max}, in entry ${entry.seq}`, id);
}

function checkKey(
  board: Board,
  { id, attempt }: TaskStatus,
  entry: LandedEntry,
  groups: ReadonlyMap<string | null, readonly Execution[]>,
  report: Report,
): void {
  const own = board.specs.get(id);
  if (own?.concurrencyKey === undefined) return;
  const { concurrencyMax = 1, concurrencyKey: key, queue } = own;
  const what = `${name(id, attempt)} with key ${key}`;
  const count = board.count((spec) => spec.queue === queue && spec.concurrencyKey === key);
  if (count > concurrencyMax)
    report(`${what} is one of ${count} that run, of at most ${concurrencyMax}, in entry ${entry.seq}`, id);
  const others = othersAlive(board, { id, attempt }, entry, groups.get(scope(queue, key)));
  if (others.length >= concurrencyMax) report(`${what} was assigned while ${others.join(", ")} ran`, id);
}

function checkUniqueProcesses(
  board: Board,
  { id, attempt }: TaskStatus,
  entry: LandedEntry,
  groups: ReadonlyMap<string | null, readonly Execution[]>,
  report: Report,
): void {
  const { queue = "", uniqueKey } = board.specs.get(id) ?? {};
  const group = scope(queue, uniqueKey);
  if (group === null) return;
  const others = othersAlive(board, { id, attempt }, entry, groups.get(group));
  if (others.length > 0)
    report(`${name(id, attempt)} with unique key ${uniqueKey} was assigned while ${others.join(", ")} ran`, id);
}

/** Processes that had not ended when it was assigned, of workers that had not been given up. */
function othersAlive(
  board: Board,
  { id, attempt }: Pick<TaskStatus, "id" | "attempt">,
  entry: LandedEntry,
  executions: readonly Execution[] = [],
): string[] {
  const others = executions.filter(
    ({ task, attempt: other, startOrder, endOrder, worker, boot }) =>
      (task !== id || other !== attempt) &&
      startOrder < entry.order &&
      (endOrder === null || endOrder > entry.order) &&
      board.boots.get(worker) === boot &&
      startOrder > (board.givenUpIn.get(boot) ?? 0),
  );
  return others.map((each) => name(each.task, each.attempt));
}

function checkRates(board: Board, assigned: readonly TaskStatus[], entry: LandedEntry, report: Report): void {
  for (const { id, attempt } of assigned) {
    const queue = board.specs.get(id)?.queue ?? "";
    const rate = board.queues.get(queue)?.rate;
    if (rate === undefined) continue;
    const starts = (board.starts.get(queue) ?? []).filter((at) => at > entry.at - rate.perMs);
    board.starts.set(queue, [...starts, entry.at]);
    if (starts.length >= rate.count)
      report(
        `${name(id, attempt)} is start ${starts.length + 1} of queue ${queue} in ${rate.perMs} ms, of ${rate.count}`,
        id,
      );
  }
}

/** Executions of tasks that are in a group. */
function executionsByGroup(
  history: History,
  groupOf: (spec: TaskSpec) => string | null,
): ReadonlyMap<string | null, readonly Execution[]> {
  const specs = new Map<string, TaskSpec>();
  for (const { writes } of history.entries)
    for (const write of writes) if (write.kind === "spec") specs.set(write.spec.id, write.spec);
  return Map.groupBy(executions(history), ({ task }) => {
    const spec = specs.get(task);
    return spec === undefined ? null : groupOf(spec);
  });
}

function scope(queue: string, key: string | undefined): string | null {
  return key === undefined ? null : `${queue} ${key}`;
}
