/** A task as the leader remembers it: what decisions need and nothing else, since a million of them may wait at once. */

import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import type { Rights } from "../../model/principals/principal.ts";
import type { IssuedAttempt } from "../../model/protocol.ts";
import {
  type AttemptError,
  type ExitRecord,
  isFinal,
  isSuspect,
  type TaskHead,
  type TaskLimits,
  type TaskState,
  type TaskStatus,
} from "../../model/task.ts";
import type { ChildSet } from "./families.ts";
import { Family } from "./family.ts";
import { type KeyUse, keyGroup } from "./keyGroups.ts";
import type { InLine, Lane } from "./lane.ts";
import type { LiveQueue } from "./queues.ts";
import { RareParts } from "./rareParts.ts";

/** Where the current or last attempt was put. */
export interface Run {
  readonly host: WorkerId;
  readonly boot: BootId;
  readonly assignedAt: number;
  readonly startedAt: number | undefined;
  /** The worker is given nothing else meanwhile. */
  readonly isAlone: boolean;
}

/** How the last attempt that ended had ended. */
export interface LastEnd {
  readonly endedAt: number | undefined;
  readonly error: AttemptError | undefined;
  readonly exit: ExitRecord | undefined;
  readonly logBytes: number | undefined;
  /** Of several commands. */
  readonly exits?: readonly ExitRecord[];
  /** While it leads, of an attempt that was given up: when its process really ended. */
  readonly processEndedAt?: number;
  /** Where another attempt follows by itself: when its back-off ends. */
  readonly retryAt?: number;
  /** How long that wait was when it began; known of tasks that were read from the journal. */
  readonly retryWaitMs?: number;
}

/** A lane of tasks as the leader remembers them. */
export type TaskLane = Lane<LiveTask>;

/** What many tasks have in common: those that do share one of these. */
export interface SharedParts {
  readonly lane: TaskLane;
  /** The set of children that it belongs to; null for a task without a parent. */
  readonly parent: ChildSet | null;
  readonly depth: number;
  readonly priority: number;
  readonly limits: TaskLimits;
  readonly rights: Rights | undefined;
}

export class LiveTask extends RareParts implements InLine {
  readonly id: TaskId;
  readonly createdAt: number;
  /** Its place among tasks of the same instant: as they came. */
  readonly ordinal: number;
  readonly startAt: number | null;
  readonly fingerprint: string | null;

  /** Its concurrency key; null if it has none. */
  readonly keyUse: KeyUse | null;

  /** Its unique key; null if it has none. */
  readonly uniqueUse: KeyUse | null;
  readonly #shared: SharedParts;

  state: TaskState = "created";
  attempt = 0;
  run: Run | null = null;
  last: LastEnd | null = null;
  /** While it leads: true once its set has let it into its lane. */
  isReleased = false;
  /** Null for a task that remembers nothing, has no children and waits for nothing. */
  family: Family | null = null;
  /**
   * Its key in the timer heap; null while it is not in there. A first number here would make V8 rebuild each of a million tasks
   * when an instant comes, since that does not fit where a small number was.
   */
  wakeAt: number | null = null;
  heapIndex = -1;
  /** True while it waits for the instant at which it is to start. */
  isAwaitingStart = false;
  /** What it adds to the digest of the whole memory, as of the last status written. */
  digest = 0;
  /** True while a change waits to be written at the end of the batch. */
  isDirty = false;
  constructor(head: TaskHead, ordinal: number, shared: SharedParts) {
    super();
    this.id = head.id;
    this.ordinal = ordinal;
    this.#shared = shared;
    this.backupOf = head.backupOf ?? null;
    if (head.after !== undefined) {
      const { after, runIf = "success", takesOutputs = false } = head;
      this.links = { after, runIf, takesOutputs, open: 0 };
    }
    const { lane } = shared;
    const { concurrencyKey, concurrencyMax = 1 } = head;
    this.keyUse =
      concurrencyKey === undefined ? null : { group: keyGroup(lane.queue.name, concurrencyKey), max: concurrencyMax };
    const { uniqueKey } = head;
    this.uniqueUse = uniqueKey === undefined ? null : { group: keyGroup(lane.queue.name, uniqueKey), max: 1 };
    this.createdAt = head.createdAt;
    this.startAt = head.startAt;
    this.fingerprint = head.fingerprint;
  }

  get lane(): TaskLane {
    return this.#shared.lane;
  }

  get parent(): ChildSet | null {
    return this.#shared.parent;
  }

  get depth(): number {
    return this.#shared.depth;
  }

  get priority(): number {
    return this.#shared.priority;
  }

  get limits(): TaskLimits {
    return this.#shared.limits;
  }

  get rights(): Rights | undefined {
    return this.#shared.rights;
  }

  /** Its place in line among equals: when it was created, or when it was to start. */
  get orderAt(): number {
    return this.startAt ?? this.createdAt;
  }

  /** Its concurrency key, without its scope. */
  get key(): string | null {
    return this.keyUse === null ? null : this.keyUse.group.slice(this.queue.name.length + 1);
  }

  /** Its unique key, without its scope. */
  get uniqueKey(): string | null {
    return this.uniqueUse === null ? null : this.uniqueUse.group.slice(this.queue.name.length + 1);
  }

  get queue(): LiveQueue {
    return this.lane.queue;
  }

  /** True if it may be what takes its workers down: it runs alone, so that it cannot take others along. */
  get isSuspect(): boolean {
    return isSuspect(this);
  }

  /** A graph has no attempts: it has started when its nodes are there. */
  get hasStarted(): boolean {
    return this.attempt > 0 || (this.isGraph && this.state === "waiting");
  }

  /** True for a task that masters decide: no worker runs it, and its children are its nodes. */
  get isGraph(): boolean {
    return this.lane.needsNoWorker;
  }

  /** True for a graph of which each node is for one worker. */
  get isBroadcast(): boolean {
    return this.lane.isBroadcast;
  }

  /** One task more, or less, of its queue and of its parent's children is in this state. */
  count(state: TaskState, by: number): void {
    this.queue.count(state, by);
    if (this.parent === null || isFinal(state)) return;
    const { unfinished } = this.parent;
    unfinished[state] = (unfinished[state] ?? 0) + by;
  }

  /** Its current or last attempt, as it was given out; before the first one, none that anybody has. */
  get issued(): IssuedAttempt {
    return { task: this.id, attempt: this.attempt, assignedAt: this.run?.assignedAt ?? 0 };
  }
}

export function toStatus(task: LiveTask, changedAt: number, output?: TaskStatus["output"]): TaskStatus {
  const { run } = task;
  // A task whose outcome is decided keeps its result until its last descendant has ended.
  const result = output ?? task.family?.ending?.output;
  // While an attempt runs, the end of the one before would look like its own.
  const last = task.state === "running" ? null : task.last;
  // Each change of a task comes by here, so without the intermediate objects that spreading would make.
  const status: { -readonly [Field in keyof TaskStatus]: TaskStatus[Field] } = {
    id: task.id,
    state: task.state,
    attempt: task.attempt,
    failures: task.failures,
    kills: task.kills,
    changedAt,
  };
  if (task.uncounted > 0) status.uncounted = task.uncounted;
  if (task.losses > 0) {
    status.losses = task.losses;
    status.firstLoss = task.firstLoss;
  }
  if (run !== null) {
    status.host = run.host;
    status.boot = run.boot;
    status.assignedAt = run.assignedAt;
    if (run.isAlone && task.state === "running") status.isAlone = true;
  }
  if (task.retriedAt !== undefined) status.retriedAt = task.retriedAt;
  if (run?.startedAt !== undefined) status.startedAt = run.startedAt;
  if (task.state === "retrying") status.retryAt = last?.retryAt ?? 0;
  if (task.state === "killed" && last?.retryAt !== undefined) status.retryAt = last.retryAt;
  if (last?.endedAt !== undefined) status.endedAt = last.endedAt;
  if (last?.error !== undefined) status.error = last.error;
  if (last?.exit !== undefined) status.exit = last.exit;
  if (last?.exits !== undefined) status.exits = last.exits;
  if (last?.logBytes !== undefined) status.logBytes = last.logBytes;
  if (task.isRecorded) status.isRecorded = true;
  if (task.backup !== null) status.backup = task.backup;
  if (task.openRun !== null) status.openRun = task.openRun;
  if (task.family !== null) status.family = task.family.toStatus();
  if (result !== undefined) status.output = result;
  return status;
}

/** Brings a task back to where its status says that it was. */
export function restoreStatus(task: LiveTask, status: TaskStatus): void {
  task.state = status.state;
  task.attempt = status.attempt;
  task.failures = status.failures;
  task.kills = status.kills;
  task.uncounted = status.uncounted ?? 0;
  task.losses = status.losses ?? 0;
  task.firstLoss = status.firstLoss ?? 0;
  task.isRecorded = status.isRecorded ?? false;
  task.backup = status.backup ?? null;
  task.openRun = status.openRun ?? null;
  task.retriedAt = status.retriedAt;
  task.family = status.family === undefined ? null : Family.restore(status.family, status.output, status.changedAt);
  const { host, boot, assignedAt } = status;
  task.run =
    host === undefined || boot === undefined || assignedAt === undefined
      ? null
      : { host, boot, assignedAt, startedAt: status.startedAt, isAlone: status.isAlone ?? false };
  const { endedAt, error, exit, exits, logBytes, retryAt } = status;
  const last = {
    endedAt,
    error,
    exit,
    logBytes,
    ...(exits !== undefined && { exits }),
    ...(retryAt !== undefined && { retryAt, retryWaitMs: retryAt - status.changedAt }),
  };
  task.last = endedAt === undefined && error === undefined ? null : last;
}
