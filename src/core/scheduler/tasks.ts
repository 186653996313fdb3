/** All tasks that are not final, the clockwork that wakes them, and the writing down of what became of them. */
import type { TaskId, WorkerId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { remoteStopKindName } from "../../model/kinds/remote.ts";
import { limits } from "../../model/limits.ts";
import type { Rights } from "../../model/principals/principal.ts";
import {
  type FinalState,
  isFinal,
  type TaskHead,
  type TaskLimits,
  type TaskState,
  type TaskStatus,
  transitions,
} from "../../model/task.ts";
import type { Awaited } from "../../model/waiting.ts";
import { Heap } from "../heap.ts";
import { awaitedBy } from "./awaited.ts";
import { Bounds } from "./bounds.ts";
import type { Dependencies } from "./dependencies.ts";
import { digestTask } from "./digest.ts";
import type { Batch } from "./effects.ts";
import type { Families } from "./families.ts";
import type { Lanes } from "./lanes.ts";
import { LiveTask, restoreStatus, type SharedParts, type TaskLane, toStatus } from "./liveTask.ts";
import { RecentlyFinished } from "./recentlyFinished.ts";
import { RecentlyForgotten } from "./recentlyForgotten.ts";
import type { Webhooks } from "./webhooks.ts";

/** A step of a task from one state to the next, for statistics. */
export interface TaskStep {
  readonly task: TaskId;
  /** The worker of its current or last attempt. */
  readonly host: WorkerId | undefined;
  readonly queue: string;
  readonly kind: string;
  readonly from: TaskState;
  readonly to: TaskState;
  /** From when on it could have started, for a step to `running`; when its attempt was assigned, for a step from it. */
  readonly since: number;
  /** How often in a row its worker has died under it; a step to `killed` counts already. */
  readonly losses: number;
}

export class Tasks {
  /** The steps decided since they were taken last; null while nobody counts them. */
  steps: TaskStep[] | null = null;
  readonly recentlyFinished = new RecentlyFinished();
  /** While it leads: the entry in which a finished task was last forgotten, at the latest. */
  forgottenAtSeq = 0;
  readonly recentlyForgotten = new RecentlyForgotten();
  readonly #byId = new Map<TaskId, LiveTask>();
  readonly #byUniqueKey = new Map<string, Set<LiveTask>>();
  readonly #lanes: Lanes;
  readonly #families: Families;
  readonly #dependencies: Dependencies;
  readonly #webhooks: Webhooks;
  readonly #timers = new Heap<LiveTask>((a, b) => isBefore(a.wakeAt, b.wakeAt, a, b));
  /** Those that wait for the instant at which they are to start, which is by the wall clock. */
  readonly #starts = new Heap<LiveTask>((a, b) => isBefore(a.startAt, b.startAt, a, b));
  /** Instants at which whole tasks are over time. */
  readonly bounds = new Bounds<LiveTask>();
  /** Of the tasks that masters create for jobs nobody else looks after. */
  readonly stopBounds = new Bounds<LiveTask>();
  /** By so much `now` is ahead of the wall clock. */
  clockLagMs = 0;
  #dirty: LiveTask[] = [];
  #digest = 0;
  #added = 0;
  /** Tasks with equal limits share one object: almost all have the defaults. */
  readonly #limits = new Map<string, TaskLimits>();
  /** Of each lane, that of the task which came last: tasks come in batches of equals. */
  readonly #shared = new Map<TaskLane, SharedParts>();
  readonly #rights = new Map<string, Rights>();
  /** Suspended tasks, by what they wait for. */
  readonly #awaited = new Map<Awaited, number>();
  #backingOff = 0;

  constructor(lanes: Lanes, families: Families, dependencies: Dependencies, webhooks: Webhooks) {
    this.#webhooks = webhooks;
    this.#lanes = lanes;
    this.#dependencies = dependencies;
    this.#families = families;
  }

  /** Stands for every unfinished task as of its last status written; see digest.ts. */
  get digest(): number {
    return this.#digest;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: TaskId): LiveTask | undefined {
    return this.#byId.get(id);
  }

  /** Unfinished tasks with a unique key, the oldest first: one, and those besides that are ending. */
  withUniqueKey(group: string): Iterable<LiveTask> {
    return this.#byUniqueKey.get(group) ?? [];
  }

  [Symbol.iterator](): Iterator<LiveTask> {
    return this.#byId.values();
  }

  /** A task that is new to this memory, not yet in line. */
  add(head: TaskHead, retriedAt?: number): LiveTask {
    this.#added += 1;
    const task = new LiveTask(head, this.#added, this.#share(head, this.#lanes.enter(head)));
    this.#byId.set(task.id, task);
    this.#noteUnique(task);
    this.recentlyForgotten.noteNew(task.id);
    this.#count(task, 1);
    this.#dependencies.pin(task);
    task.retriedAt = retriedAt;
    this.#boundsOf(task).add(task, head, retriedAt);
    return task;
  }

  /** A finished task is unfinished again, and not yet in line. */
  reopen(head: TaskHead, before: FinalState, at: number): LiveTask {
    const task = this.add(head, at);
    task.queue.count(before, -1);
    this.recentlyFinished.forget(head.id);
    return task;
  }

  restore(head: TaskHead, status: TaskStatus): LiveTask {
    const task = this.add(head, status.retriedAt);
    this.#count(task, -1);
    restoreStatus(task, status);
    this.#count(task, 1);
    this.#holdUnique(task);
    this.#redigest(task);
    return task;
  }

  /** Takes a status as the journal has it. A final one takes the task away. */
  applyStatus(status: TaskStatus): void {
    const task = this.#byId.get(status.id);
    if (task === undefined) return;
    this.#count(task, -1);
    restoreStatus(task, status);
    this.#count(task, 1);
    this.#holdUnique(task);
    this.#redigest(task);
    if (isFinal(task.state)) this.#remove(task);
  }

  /** The only way in which a decision changes a task's state. A step that is not in the table of transitions is a bug. */
  setState(task: LiveTask, state: TaskState): void {
    if (!transitions[task.state].includes(state)) {
      throw new Error(
        `Task ${task.id} cannot go from ${task.state} to ${state} (attempt ${task.attempt}, ${task.failures} failures, ${task.kills} kills, on ${task.run?.host ?? "no worker"}).`,
      );
    }
    this.steps?.push(stepOf(task, state));
    this.#count(task, -1);
    task.state = state;
    this.#count(task, 1);
    this.#holdUnique(task);
  }

  /** Puts a task in line, or lets it wait for `at` first. */
  enqueue(task: LiveTask, at: number, now: number): void {
    if (at > now) this.wakeAt(task, at);
    else this.#lanes.enqueue(task);
  }

  /** Puts a task that has not run yet in line, or lets it wait for its instant first. */
  enqueueNew(task: LiveTask, now: number): void {
    if (task.startAt === null || task.startAt <= now - this.clockLagMs) return this.#lanes.enqueue(task);
    task.isAwaitingStart = true;
    this.#starts.push(task);
  }

  wakeAt(task: LiveTask, at: number): void {
    task.wakeAt = at;
    this.#timers.push(task);
    if (isBackingOff(task)) this.#backingOff += 1;
  }

  /** Tasks that wait for an instant, and suspended ones by what they wait for. Only a leader has all of them. */
  countWaits(): { readonly start: number; readonly backOff: number; readonly awaited: ReadonlyMap<Awaited, number> } {
    return { start: this.#starts.size, backOff: this.#backingOff, awaited: this.#awaited };
  }

  /** Takes a task out of its line or its timer, whichever it is in. */
  unplace(task: LiveTask): void {
    if (task.heapIndex === -1) return;
    if (task.isAwaitingStart) this.#starts.remove(task);
    else if (task.wakeAt !== null) {
      this.#timers.remove(task);
      if (isBackingOff(task)) this.#backingOff -= 1;
    } else this.#lanes.dequeue(task);
    task.isAwaitingStart = false;
    task.wakeAt = null;
  }

  /** What it waits for in the timer comes so much later; nothing changes for a task that is not in there. */
  postpone(task: LiveTask, byMs: number): void {
    if (task.wakeAt === null) return;
    const dueAt = task.wakeAt + byMs;
    this.unplace(task);
    this.wakeAt(task, dueAt);
  }

  get nextWakeAt(): number | null {
    const timer = this.#timers.peek()?.wakeAt ?? Number.POSITIVE_INFINITY;
    const start = (this.#starts.peek()?.startAt ?? Number.POSITIVE_INFINITY) + this.clockLagMs;
    const next = Math.min(timer, start);
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  /** The next task whose time has come, taken out of its timer. */
  popDue(now: number): LiveTask | undefined {
    const [timed, starting] = [this.#timers.peek(), this.#starts.peek()];
    let task: LiveTask | undefined;
    if (isDue(timed?.wakeAt, now)) task = timed;
    else if (isDue(starting?.startAt, now - this.clockLagMs)) task = starting;
    if (task !== undefined) this.unplace(task);
    return task;
  }

  /** Its change is written when the batch closes, once, however often it changes until then. */
  touch(task: LiveTask): void {
    if (task.isDirty) return;
    task.isDirty = true;
    this.#dirty.push(task);
  }

  /** Writes its change down now: a step that must show in the journal even if more follow in the same batch. */
  write(batch: Batch, task: LiveTask, output?: Json): void {
    task.isDirty = false;
    batch.out.writes.push({ kind: "status", status: toStatus(task, batch.now, output) });
    this.#redigest(task);
    if (!isFinal(task.state)) return;
    this.#remove(task);
    const { id, fingerprint, state, queue } = task;
    this.recentlyFinished.add({ id, fingerprint, state, queue: queue.name, seq: batch.out.seq });
    if (this.#webhooks.size > 0) this.#webhooks.noteEnd(batch, task, state);
  }

  writeTouched(batch: Batch): void {
    if (this.#dirty.length === 0) return;
    for (const task of this.#dirty) if (task.isDirty) this.write(batch, task);
    this.#dirty = [];
  }

  /** Counts the task by its present state. A running one counts for the limits of its queue and for its key, too. */
  #count(task: LiveTask, by: 1 | -1): void {
    const { queue, keyUse, state } = task;
    task.count(state, by);
    if (state !== "running") return;
    if (keyUse !== null) this.#lanes.countKey(keyUse.group, by);
    if (queue.isLimited) this.#lanes.refresh(queue);
  }

  #countAwaited(task: LiveTask): void {
    const awaited = awaitedBy(task);
    if (awaited === task.awaited) return;
    if (task.awaited !== null) this.#awaited.set(task.awaited, (this.#awaited.get(task.awaited) ?? 0) - 1);
    if (awaited !== null) this.#awaited.set(awaited, (this.#awaited.get(awaited) ?? 0) + 1);
    task.awaited = awaited;
  }

  #noteUnique(task: LiveTask): void {
    if (task.uniqueUse === null) return;
    const tasks = this.#byUniqueKey.get(task.uniqueUse.group);
    if (tasks === undefined) this.#byUniqueKey.set(task.uniqueUse.group, new Set([task]));
    else tasks.add(task);
  }

  #forgetUnique(task: LiveTask): void {
    if (task.uniqueUse === null) return;
    const { group } = task.uniqueUse;
    const tasks = this.#byUniqueKey.get(group);
    tasks?.delete(task);
    if (tasks?.size === 0) this.#byUniqueKey.delete(group);
  }

  /** Must follow whatever may have changed whether it holds its unique key. */
  #holdUnique(task: LiveTask): void {
    const isHolding = task.state === "running" || (!isFinal(task.state) && task.family?.isEnding === true);
    if (task.uniqueUse === null || isHolding === task.isHoldingUnique) return;
    task.isHoldingUnique = isHolding;
    this.#lanes.countUnique(task.uniqueUse.group, isHolding ? 1 : -1);
  }

  #boundsOf({ lane }: LiveTask): Bounds<LiveTask> {
    return lane.kind === remoteStopKindName ? this.stopBounds : this.bounds;
  }

  #remove(task: LiveTask): void {
    this.#byId.delete(task.id);
    this.#forgetUnique(task);
    this.#boundsOf(task).remove(task);
    this.#dependencies.unpin(task);
    this.#lanes.leave(task.lane);
    if (task.lane.size === 0) this.#shared.delete(task.lane);
  }

  #redigest(task: LiveTask): void {
    this.#countAwaited(task);
    const digest = isFinal(task.state) ? 0 : digestTask(task);
    this.#digest = (this.#digest - task.digest + digest) >>> 0;
    task.digest = digest;
  }

  #share(head: TaskHead, lane: TaskLane): SharedParts {
    const { depth = 0, priority } = head;
    const parent = head.parent === undefined ? null : this.#families.ofChild(head.id);
    const rights = this.#shareRights(head.rights);
    const last = this.#shared.get(lane);
    const isLast = last?.parent === parent && last.depth === depth && last.priority === priority;
    if (isLast && last.rights === rights && areEqual(last.limits, head.limits)) return last;
    const shared = { lane, parent, depth, priority, limits: this.#shareLimits(head.limits), rights };
    this.#shared.set(lane, shared);
    return shared;
  }

  #shareLimits(own: TaskLimits): TaskLimits {
    const key = `${own.attemptsMax} ${own.killsMax} ${own.timeoutMs} ${own.backoffBaseMs} ${own.backoffFactor} ${own.backoffMaxMs}`;
    const shared = this.#limits.get(key);
    if (shared !== undefined) return shared;
    if (this.#limits.size < limits.sharedLimitsMax) this.#limits.set(key, own);
    return own;
  }

  #shareRights(own: Rights | undefined): Rights | undefined {
    if (own === undefined) return undefined;
    const key = `${own.owner} ${own.queues?.join(" ") ?? ""}`;
    const shared = this.#rights.get(key);
    if (shared !== undefined) return shared;
    if (this.#rights.size < limits.sharedLimitsMax) this.#rights.set(key, own);
    return own;
  }
}

function areEqual(one: TaskLimits, other: TaskLimits): boolean {
  return (
    one.attemptsMax === other.attemptsMax &&
    one.killsMax === other.killsMax &&
    one.timeoutMs === other.timeoutMs &&
    one.backoffBaseMs === other.backoffBaseMs &&
    one.backoffFactor === other.backoffFactor &&
    one.backoffMaxMs === other.backoffMaxMs
  );
}

/** Of one instant: as they came. */
function isBefore(at: number | null, otherAt: number | null, one: LiveTask, other: LiveTask): boolean {
  return at === otherAt ? one.ordinal < other.ordinal : (at ?? 0) < (otherAt ?? 0);
}

function isDue(at: number | null | undefined, now: number): boolean {
  return (at ?? Number.POSITIVE_INFINITY) <= now;
}

/** Of a task in the timer: it waits for its next attempt. */
function isBackingOff({ state }: LiveTask): boolean {
  return state === "retrying" || state === "killed";
}

function stepOf(task: LiveTask, to: TaskState): TaskStep {
  const { lane, state: from, run, last } = task;
  const readyAt = task.attempt === 0 ? task.orderAt : (last?.retryAt ?? last?.endedAt ?? task.orderAt);
  const since = from === "running" ? (run?.assignedAt ?? readyAt) : readyAt;
  return {
    task: task.id,
    host: run?.host,
    queue: lane.queue.name,
    kind: lane.kind,
    from,
    to,
    since,
    losses: task.losses,
  };
}
