/** Suspended tasks: what each waits for, when that is over, and what it then remembers of it. */
import { type OpenWait, type StepRecord, stepId, type Wait } from "../../model/family.ts";
import type { Batch } from "./effects.ts";
import { Family } from "./family.ts";
import type { LiveTask } from "./liveTask.ts";
import type { SchedulerState } from "./state.ts";

/** The attempt is over, and the task waits. What is over already is noticed in the same entry: a signal may have come before. */
export function suspend(state: SchedulerState, batch: Batch, task: LiveTask, waits: readonly Wait[]): void {
  task.family ??= new Family();
  const { family } = task;
  family.rebaseWaits(batch.now);
  const before = new Map(family.waits.map((wait) => [wait.key, wait]));
  family.waits = waits.map((wait) => open(wait, before.get(wait.key), batch.now));
  family.isWoken = false;
  state.tasks.setState(task, "waiting");
  if (!settleWaits(state, batch, task)) armWaits(state, batch, task);
  state.tasks.write(batch, task);
}

/** A sleep that the task had begun before goes on: its end stays where it was. */
function open(wait: Wait, before: OpenWait | undefined, now: number): OpenWait {
  switch (wait.kind) {
    case "children":
      return { kind: "children", key: wait.key };
    case "sleep":
      return { kind: "sleep", key: wait.key, until: before?.kind === "sleep" ? before.until : now + wait.ms };
    case "signal": {
      const { key, name, timeoutMs } = wait;
      const until = before?.kind === "signal" ? before.until : timeoutMs === undefined ? undefined : now + timeoutMs;
      return { kind: "signal", key, name, ...(until !== undefined && { until }) };
    }
    default:
      return wait satisfies never;
  }
}

/** The timer of a suspended task: the first of its waits that is over by itself. */
export function armWaits(state: SchedulerState, batch: Batch, task: LiveTask): void {
  const at = task.family?.wakeAt ?? null;
  if (at === null) return;
  // Waits that a leader with a clock ahead of this one has written are looked at at once: see `rebaseWaits`.
  const dueAt = (task.family?.waitsWrittenAt ?? 0) > batch.now ? batch.now : at;
  state.tasks.wakeAt(task, Math.max(dueAt, batch.now + 1));
}

/** Something has happened that a suspended task may wait for. */
export function wakeIfDue(state: SchedulerState, batch: Batch, task: LiveTask): void {
  if (task.state !== "waiting" || task.family === null || task.family.isEnding) return;
  if (task.family.rebaseWaits(batch.now)) state.tasks.touch(task);
  const wasWoken = task.family.isWoken;
  if (!wasWoken) state.tasks.unplace(task);
  if (settleWaits(state, batch, task)) state.tasks.touch(task);
  else if (!wasWoken) armWaits(state, batch, task);
}

/** Turns every wait that is over into a step. @returns true if there was one; the task then stands in its lane */
function settleWaits(state: SchedulerState, batch: Batch, task: LiveTask): boolean {
  const { family } = task;
  if (family === null) return false;
  const left = family.waits.filter((wait) => {
    const step = whatCame(state, batch, task, wait);
    if (step !== null) remember(batch, task, family, wait.key, step);
    return step === null;
  });
  if (left.length === family.waits.length) return false;
  family.waits = left;
  if (!family.isWoken) state.lanes.enqueue(task);
  family.isWoken = true;
  return true;
}

/** What a wait has ended with; null if it is not over. */
function whatCame(state: SchedulerState, batch: Batch, task: LiveTask, wait: OpenWait): StepRecord | null {
  switch (wait.kind) {
    case "children": {
      const set = state.families.find(task.id, task.family?.epoch ?? 0, wait.key);
      if (set === undefined || !set.isOver) return null;
      task.family?.countEnded(set);
      state.families.drop(batch, set, true);
      return { children: set.outcome };
    }
    case "sleep":
      return wait.until <= batch.now ? { slept: { at: batch.now } } : null;
    case "signal": {
      const signal = state.signals.take(batch, task.id, wait.name);
      if (signal !== null) return { signal: { id: signal.id, payload: signal.payload } };
      return wait.until !== undefined && wait.until <= batch.now ? { signal: null } : null;
    }
    default:
      return wait satisfies never;
  }
}

/** Writes a step. Every later attempt of this generation has it. */
export function remember(batch: Batch, task: LiveTask, family: Family, key: string, step: StepRecord): void {
  const id = stepId(task.id, family.epoch, key);
  batch.out.writes.push({ kind: "record", collection: "steps", id, value: { ...step, at: batch.now } });
  family.steps += 1;
}
