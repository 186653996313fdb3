/** I41: where a slot is free and a task is ready for it, the two are brought together soon, and the more urgent task goes first. */
import type { RecordWrite } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { isSuspect, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import type { WorkerRecord } from "../../model/worker.ts";
import { checker, type Report } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { canRun, eventsOf, name } from "./reading.ts";
import { allTroubles } from "./troubles.ts";

/** In undisturbed time a ready task and a free slot may stand side by side for this long, if every append is answered at once. */
const promptMs = 3_000;

/** And for as long as it takes to find out, twice in a row, what has become of an append. */
function patienceMs({ conditions }: History): number {
  return promptMs + 2 * conditions.appendMsMax;
}

export const nobodyStarves = checker("I41", "priority is kept and nobody starves", (history, report) => {
  const board = new Board();
  const quiet = quietTimes(history);
  board.lagMs = setBackMs(history);
  for (const [index, entry] of history.entries.entries()) {
    const readyBefore = board.ready(history.entries[index - 1]?.at ?? entry.at);
    const assigned = board.apply(entry);
    checkPriority(board, entry, readyBefore, assigned, report);
    const nextAt = history.entries[index + 1]?.landedAt ?? history.events.at(-1)?.at ?? entry.landedAt;
    checkWaiting(history, board, entry, nextAt, quiet, report);
  }
});

function setBackMs(history: History): number {
  const offsets = new Map<string, number>();
  let totalMs = 0;
  for (const { node, offsetMs } of eventsOf(history, "clock-set")) {
    if (!node.startsWith("master")) continue;
    totalMs += Math.max(0, (offsets.get(node) ?? offsetMs) - offsetMs);
    offsets.set(node, offsetMs);
  }
  return totalMs;
}

/** What the journal says at one point. */
class Board {
  readonly specs = new Map<TaskId, TaskSpec>();
  readonly #statuses = new Map<TaskId, TaskStatus>();
  readonly workers = new Map<string, WorkerRecord>();
  readonly paused = new Set<string>();
  readonly limited = new Set<string>();
  readonly #live = new Set<TaskId>();
  /** By how much masters' wall clocks were set back, all in all. */
  lagMs = 0;

  #applyRecord(write: RecordWrite): void {
    if (write.collection === "workers") {
      if (write.value !== null) this.workers.set(write.value.id, write.value);
    } else if (write.collection === "queues") {
      const { isPaused = false, concurrencyMax, rate } = write.value ?? {};
      if (isPaused) this.paused.add(write.id);
      else this.paused.delete(write.id);
      if (concurrencyMax !== undefined || rate !== undefined) this.limited.add(write.id);
      else this.limited.delete(write.id);
    }
  }

  /** @returns the tasks that this entry assigned */
  apply(entry: LandedEntry): TaskStatus[] {
    const assigned = new Map<TaskId, TaskStatus>();
    for (const write of entry.writes) {
      if (write.kind === "spec") this.specs.set(write.spec.id, write.spec);
      if (write.kind === "record") this.#applyRecord(write);
      if (write.kind !== "status") continue;
      const { status } = write;
      const isNewAttempt = status.state === "running" && this.#statuses.get(status.id)?.attempt !== status.attempt;
      if (isNewAttempt) assigned.set(status.id, status);
      this.#statuses.set(status.id, status);
      if (["success", "failed", "cancelled", "skipped"].includes(status.state)) this.#live.delete(status.id);
      else this.#live.add(status.id);
    }
    return [...assigned.values()];
  }

  status(task: TaskId): TaskStatus | undefined {
    return this.#statuses.get(task);
  }

  /** Tasks that could be started at `now`, by the deciding master's clock. */
  ready(now: number): TaskSpec[] {
    return [...this.#live].flatMap((id) => {
      const status = this.#statuses.get(id);
      const spec = this.specs.get(id);
      if (status === undefined || spec === undefined || this.paused.has(spec.queue)) return [];
      // Its keys, or its queue, may have no room for it.
      const isKeyed = spec.concurrencyKey !== undefined || spec.uniqueKey !== undefined;
      if (isKeyed || this.limited.has(spec.queue)) return [];
      // A set of children may bound how many of them run.
      if (spec.parent !== undefined && status.state === "created") return [];
      const isDue =
        (status.state === "killed" && (status.retryAt ?? 0) <= now) ||
        // Where a clock was set back, the instant is not yet there though the entry's time has passed it.
        (status.state === "created" && (spec.startAt ?? 0) <= now - this.lagMs) ||
        (status.state === "retrying" && (status.retryAt ?? 0) <= now);
      return isDue ? [spec] : [];
    });
  }

  isSuspect(task: TaskId): boolean {
    return isSuspect(this.status(task) ?? {});
  }

  /** True if a task that must run alone waits, or will before `until`, by the deciding master's clock. Its keys may be free, or not. */
  hasWaitingSuspect(until: number): boolean {
    return [...this.#live].some((id) => {
      const status = this.#statuses.get(id);
      return status !== undefined && isSuspect(status) && status.state !== "running" && (status.retryAt ?? 0) <= until;
    });
  }

  /** True if a task runs there that must run alone. */
  runsAlone(boot: string): boolean {
    return [...this.#live].some((id) => this.status(id)?.isAlone === true && this.status(id)?.boot === boot);
  }

  usedSlots(boot: string): number {
    return [...this.#live].filter(
      (id) => this.#statuses.get(id)?.state === "running" && this.#statuses.get(id)?.boot === boot,
    ).length;
  }
}

function checkPriority(
  board: Board,
  entry: LandedEntry,
  readyBefore: readonly TaskSpec[],
  assigned: readonly TaskStatus[],
  report: Report,
): void {
  if (assigned.length === 0) return;
  // What must run alone waits for an empty worker, whatever its priority.
  const ready = board.ready(entry.at).filter(({ id }) => !board.isSuspect(id));
  const stillReady = new Set(ready.map((spec) => spec.id));
  for (const { id, host = "nobody" } of assigned) {
    // And once the worker that is kept for it is empty, it goes first.
    if (board.isSuspect(id)) continue;
    const chosen = board.specs.get(id);
    const worker = board.workers.get(host);
    const passedOver = readyBefore.find(
      (spec) =>
        chosen !== undefined &&
        stillReady.has(spec.id) &&
        spec.queue === chosen.queue &&
        worker !== undefined &&
        canRun(worker, spec) &&
        spec.priority > chosen.priority,
    );
    if (passedOver !== undefined) {
      report(
        `${id} was assigned in entry ${entry.seq} before ${passedOver.id} of the same queue and a higher priority`,
        id,
        passedOver.id,
      );
    }
  }
}

/** Between this entry and the next nothing was decided: was there something to decide? */
function checkWaiting(
  history: History,
  board: Board,
  entry: LandedEntry,
  nextAt: number,
  quiet: readonly Quiet[],
  report: Report,
): void {
  const patientMs = patienceMs(history);
  if (nextAt - entry.landedAt <= patientMs) return;
  const isQuiet = quiet.some(
    ({ from, to }) => from <= entry.landedAt && Math.min(nextAt, to) - entry.landedAt > patientMs,
  );
  if (!isQuiet) return;
  const ready = board.ready(entry.at);
  if (ready.length === 0) return;
  const isWanted = board.hasWaitingSuspect(entry.at + nextAt - entry.landedAt);
  for (const worker of board.workers.values()) {
    if (worker.state !== "connected" || worker.isDraining || board.usedSlots(worker.boot) >= worker.capacity) continue;
    // It may be kept for a task that must run alone, until it is empty; such a task gets an empty one at once.
    const isKept = board.runsAlone(worker.boot) || (isWanted && board.usedSlots(worker.boot) > 0);
    if (isKept) continue;
    // Nor is a worker empty where a process that was given up has not ended.
    const unsettledMax = isWanted ? 0 : worker.capacity - 1;
    if (!isReachable(history, worker, { from: entry.landedAt, to: nextAt, unsettledMax })) continue;
    const isAloneFree = ![...board.workers.values()].some(({ boot }) => board.runsAlone(boot));
    const task = ready.find((spec) => canRun(worker, spec) && (!board.isSuspect(spec.id) || isAloneFree));
    if (task === undefined) continue;
    report(
      `${task.id} waited ${nextAt - entry.landedAt} ms after entry ${entry.seq} while ${worker.id} had a free slot`,
      task.id,
      worker.id,
    );
    return;
  }
}

/** True if the worker had a stream open all the time, and few enough attempts that the leader has not yet heard the end of. */
function isReachable(
  history: History,
  worker: WorkerRecord,
  { from, to, unsettledMax }: { from: number; to: number; unsettledMax: number },
): boolean {
  const { suspectMs, driftMax } = history.conditions;
  if (asideUntil(history, worker, to) > from) return false;
  let isOpen = false;
  const unsettled = new Set<string>();
  let heardAt = from;
  for (const event of history.events) {
    if (event.at > to) break;
    if (event.kind === "stream-opened" && event.boot === worker.boot) isOpen = true;
    if (event.kind === "stream-closed" && event.boot === worker.boot) {
      isOpen = false;
      if (event.at >= from) return false;
    }
    if (event.kind === "heard" && event.boot === worker.boot) {
      // Its leader doubts it, and rightly gives it nothing.
      if (event.at > from && event.at - heardAt > suspectMs * (1 - driftMax)) return false;
      heardAt = event.at;
    }
    if (event.kind === "exec-start" && event.boot === worker.boot) unsettled.add(name(event.task, event.attempt));
    if (event.kind === "sent-verdict") unsettled.delete(name(event.task, event.attempt));
    if (event.at >= from && unsettled.size > unsettledMax) return false;
  }
  return isOpen && to - heardAt <= suspectMs * (1 - driftMax);
}

/** Whose machine cannot start attempts takes none for a while, longer each time: until when it does not at `to`. */
function asideUntil(history: History, worker: WorkerRecord, to: number): number {
  const { troubleBaseMs, troubleMaxMs, troubleCalmMs } = defaults;
  let pauseMs = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { at, worker: id } of eventsOf(history, "handed-back")) {
    if (id !== worker.id || at > to || at < until) continue;
    const isCalm = pauseMs === 0 || at >= until + Math.max(troubleCalmMs, pauseMs);
    pauseMs = isCalm ? troubleBaseMs : Math.min(troubleMaxMs, 2 * pauseMs);
    until = at + pauseMs;
  }
  return until;
}

interface Quiet {
  readonly from: number;
  readonly to: number;
}

/** Stretches well away from any trouble of masters, workers or the store. */
function quietTimes(history: History): Quiet[] {
  const marginMs = history.conditions.failoverGraceMs + history.conditions.lostGraceMs;
  const troubles = [...allTroubles(history)].sort((left, right) => left.from - right.from);
  const lastAt = history.events.at(-1)?.at ?? 0;
  const quiet: Quiet[] = [];
  let from = 0;
  for (const trouble of troubles) {
    if (trouble.from > from) quiet.push({ from, to: trouble.from });
    from = Math.max(from, trouble.to + marginMs);
  }
  if (lastAt > from) quiet.push({ from, to: lastAt });
  return quiet;
}
