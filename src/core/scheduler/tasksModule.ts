/** Tasks come in, wait for their time, are cancelled and forgotten. How attempts begin and end stands in attempts.ts. */
import type { TaskId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { raise } from "./alarms.ts";
import { armBackstop, cancelTask, timeOutAttempt } from "./attempts.ts";
import { cancelMany, deleteMany, dropFinished, forgetExpired } from "./bulk.ts";
import type { Batch, Reply } from "./effects.ts";
import { isEnding, startWalk } from "./endings.ts";
import type { LiveTask } from "./liveTask.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import { retry } from "./retries.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";
import { submit } from "./submit.ts";
import { armWaits, wakeIfDue } from "./waits.ts";

export const tasksModule = {
  inputs: {
    "clock-lag": (state, batch, { lagMs }) => {
      const backMs = lagMs - state.tasks.clockLagMs;
      if (backMs >= defaults.alarmClockMs)
        raise(batch, "clock", "the leader's clock was set back", { seconds: Math.round(backMs / 1000) });
      state.tasks.clockLagMs = lagMs;
    },
    submit: (state, batch, input) => reply(batch, input.request, submit(state, batch, input)),
    cancel: (state, batch, { request, id }) => reply(batch, request, cancel(state, batch, id)),
    retry: (state, batch, input) => reply(batch, input.request, retry(state, batch, input)),
    forget: forgetExpired,
    "cancel-many": (state, batch, input) => reply(batch, input.request, cancelMany(state, batch, input)),
    "delete-many": (state, batch, input) => reply(batch, input.request, deleteMany(state, batch, input)),
  },
  applies: {
    spec: ({ tasks }, { spec }) => {
      if (tasks.get(spec.id) === undefined) tasks.add(spec);
    },
    status: ({ tasks }, { status }) => tasks.applyStatus(status),
    "forget-task": (state, write) => dropFinished(state, write),
    "reopen-task": ({ tasks }, { head, state: before, at }) => {
      if (tasks.get(head.id) === undefined) tasks.reopen(head, before, at);
    },
  },
  takeUp,
  activate(state, batch) {
    state.tasks.recentlyFinished.reset(batch.out.seq);
    state.tasks.forgottenAtSeq = batch.out.seq;
    state.tasks.recentlyForgotten.reset(batch.out.seq);
  },
  step(state, batch) {
    const { tasks, lanes } = state;
    while (!isFull(batch)) {
      const task = tasks.popDue(batch.now);
      if (task === undefined) return;
      if (task.state === "running") timeOutAttempt(state, batch, task);
      else if (task.state === "waiting") wakeIfDue(state, batch, task);
      else lanes.enqueue(task);
    }
  },
  nextWakeAt: ({ tasks }) => tasks.nextWakeAt,
} satisfies SchedulerModule;

/** Puts a task where its state says that it belongs: in its lane, in the timer, or on its worker. */
function takeUp(state: SchedulerState, batch: Batch, task: LiveTask): void {
  const { tasks, workers } = state;
  switch (task.state) {
    case "created":
      // Children are let into their lanes by their set, which may bound how many of them run.
      return task.parent === null ? tasks.enqueueNew(task, batch.now) : undefined;
    case "retrying":
    case "killed":
      return tasks.enqueue(task, retryAtOf(task, batch.now), batch.now);
    case "running":
      if (task.run !== null) workers.get(task.run.host)?.hold(task);
      return armBackstop(state, batch, task, batch.now);
    case "waiting":
      return takeUpWaiting(state, batch, task);
    case "blocked":
    case "success":
    case "failed":
    case "cancelled":
    case "skipped":
      return;
    default:
      task.state satisfies never;
  }
}

function takeUpWaiting(state: SchedulerState, batch: Batch, task: LiveTask): void {
  if (isEnding(task)) startWalk(state, task);
  else if (task.family?.isWoken === true) state.lanes.enqueue(task);
  else armWaits(state, batch, task);
}

function cancel(state: SchedulerState, batch: Batch, id: TaskId): Reply {
  const task = state.tasks.get(id);
  if (task === undefined) return refuse("not-found", `There is no unfinished task ${id}.`);
  cancelTask(state, batch, task);
  return { kind: "cancelled", id };
}

/**
 * When the back-off of a task is over. The leader before may have had a clock that was far ahead: no wait is longer than the
 * back-off itself, counted from now.
 */
function retryAtOf(task: LiveTask, now: number): number {
  return Math.min(task.last?.retryAt ?? 0, now + (task.last?.retryWaitMs ?? 0));
}
