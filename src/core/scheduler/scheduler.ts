/**
 * The leader's state machine: which task runs where, what is tried again, who is given up.
 *
 * It is told what happened and answers with records to write and effects to release once they are committed. It never awaits,
 * reads no clock and draws no random number: the same inputs at the same times always lead to the same output.
 *
 * A batch is any number of `step`s closed by a `tick`, all with one `now`. A master that follows the journal feeds `apply`
 * instead, and calls `activate` at the moment it becomes the leader. All decisions are made in modules; see module.ts.
 */

import type { DigestSums, Write } from "../../model/entry.ts";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { coversQueue } from "../../model/principals/principal.ts";
import { noCalendar } from "../../model/schedules/schedule.ts";
import type { TaskDocument, TaskHead, TaskState, TaskStatus } from "../../model/task.ts";
import type { WaitingReason } from "../../model/waiting.ts";
import type { WebhookRecord } from "../../model/webhooks/webhook.ts";
import type { ProbeAddress, WorkerRecord } from "../../model/worker.ts";
import { Alarms } from "./alarms.ts";
import { alarmsModule } from "./alarmsModule.ts";
import { auditInput } from "./audit.ts";
import { Backups } from "./backups.ts";
import { backupsModule } from "./backupsModule.ts";
import { Blobs } from "./blobs.ts";
import { blobsModule } from "./blobsModule.ts";
import { Broadcasts } from "./broadcasts.ts";
import { broadcastsModule } from "./broadcastsModule.ts";
import { Dependencies } from "./dependencies.ts";
import { isSameDigest } from "./digest.ts";
import { dispatch } from "./dispatch.ts";
import type { Batch, SchedulerEffect, SchedulerOutput } from "./effects.ts";
import { failureDetector } from "./failureDetector.ts";
import { Families } from "./families.ts";
import { familiesModule } from "./familiesModule.ts";
import { Graphs } from "./graphs.ts";
import { graphsModule } from "./graphsModule.ts";
import { Holds } from "./holds.ts";
import type { SchedulerInput } from "./inputs.ts";
import { isolation } from "./isolation.ts";
import { Lanes } from "./lanes.ts";
import { MassLoss } from "./massLoss.ts";
import type { Applies, Inputs, SchedulerModule } from "./module.ts";
import { Principals } from "./principals.ts";
import { principalsModule } from "./principalsModule.ts";
import { processEndsModule } from "./processEnds.ts";
import { QueueRecords } from "./queueRecords.ts";
import { Queues } from "./queues.ts";
import { queuesModule } from "./queuesModule.ts";
import { Rates } from "./rates.ts";
import { ratesModule } from "./ratesModule.ts";
import { Records } from "./records.ts";
import { refuseByRights } from "./rights.ts";
import { Schedules } from "./schedules.ts";
import { schedulesModule } from "./schedulesModule.ts";
import { Signals } from "./signals.ts";
import { reply, type SchedulerSettings, type SchedulerState } from "./state.ts";
import { taskBounds } from "./taskBounds.ts";
import type { TaskStep } from "./tasks.ts";
import { Tasks } from "./tasks.ts";
import { tasksModule } from "./tasksModule.ts";
import { addViews } from "./taskViews.ts";
import { Templates } from "./templates.ts";
import { templatesModule } from "./templatesModule.ts";
import { WaitingReasons } from "./waitingReasons.ts";
import { Walks } from "./walks.ts";
import { Webhooks } from "./webhooks.ts";
import { webhooksModule } from "./webhooksModule.ts";
import { Workers } from "./workers.ts";
import { workersModule } from "./workersModule.ts";

/** In the order in which they close a batch: dispatch comes when all that is due has happened. */
const modules: readonly SchedulerModule[] = [
  tasksModule,
  taskBounds,
  familiesModule,
  graphsModule,
  broadcastsModule,
  queuesModule,
  templatesModule,
  blobsModule,
  principalsModule,
  workersModule,
  failureDetector,
  // A tick may wait for a process of an earlier one, which ends with its worker.
  schedulesModule,
  ratesModule,
  isolation,
  dispatch,
  // They take only what is left.
  backupsModule,
  // What starts in this batch is not late, and does not lack a worker.
  webhooksModule,
  alarmsModule,
];

/** Those that have something to do for each task when a lead begins. */
const takers = modules.filter((module) => module.takeUp !== undefined);

/** Every input has one module that takes it. */
const inputs = {
  ...tasksModule.inputs,
  ...familiesModule.inputs,
  ...graphsModule.inputs,
  ...queuesModule.inputs,
  ...templatesModule.inputs,
  ...schedulesModule.inputs,
  ...blobsModule.inputs,
  ...principalsModule.inputs,
  ...webhooksModule.inputs,
  ...workersModule.inputs,
  ...processEndsModule.inputs,
  ...failureDetector.inputs,
} satisfies Inputs<Exclude<SchedulerInput["kind"], "tick">>;

/** Every write has one module that applies it. */
const applies = {
  ...tasksModule.applies,
  record: ({ records }, write, now) => records.apply(write, now),
  digest: (state, { digest }) => {
    if (!isSameDigest(digestOf(state), digest)) state.hasDrifted = true;
  },
  marker: () => {},
} satisfies Applies;

export class Scheduler {
  readonly #state: SchedulerState;

  constructor(settings: Partial<SchedulerSettings> = {}) {
    const queues = new Queues();
    const lanes = new Lanes(queues);
    const rates = new Rates(queues, lanes);
    const queueRecords = new QueueRecords(queues, lanes, rates);
    const holds = new Holds(queues, lanes);
    const workers = new Workers(lanes);
    const families = new Families();
    const signals = new Signals();
    const dependencies = new Dependencies();
    const templates = new Templates();
    const schedules = new Schedules();
    const blobs = new Blobs();
    const principals = new Principals();
    const webhooks = new Webhooks();
    this.#state = {
      tasks: new Tasks(lanes, families, dependencies, webhooks),
      ...{ queues, queueRecords, holds, rates, lanes },
      families,
      signals,
      dependencies,
      graphs: new Graphs(),
      broadcasts: new Broadcasts(),
      walks: new Walks(),
      backups: new Backups(),
      templates,
      schedules,
      blobs,
      principals,
      webhooks,
      workers,
      records: new Records({
        queues: queueRecords,
        dyingHolds: holds,
        queueStarts: rates,
        workers,
        childSets: families,
        signals,
        templates,
        schedules,
        blobs,
        failedDependencies: dependencies,
        users: principals.userModule,
        tokens: principals.tokenModule,
        sessions: principals.sessionModule,
        webhooks,
      }),
      massLoss: new MassLoss(),
      alarms: new Alarms(),
      settings: { ...defaults, calendar: noCalendar, ...settings },
      epoch: 0,
      audited: { seq: 0, count: 0 },
      sessions: 0,
      patientUntil: 0,
      clockSureAt: 0,
      digestBefore: { tasks: 0 },
      hasDrifted: false,
    };
  }

  /** Takes one input; what follows from it is added to `out`. Close the batch with `tick`. */
  step(now: number, input: SchedulerInput, out: SchedulerOutput): void {
    const batch = { now, out };
    if (input.kind === "tick") return this.#tick(batch);
    const take = inputs[input.kind] as (state: SchedulerState, batch: Batch, input: SchedulerInput) => void;
    const effectsBefore = out.effects.length;
    const refusal = refuseByRights(this.#state, input);
    if (refusal !== null && "request" in input) reply(batch, input.request, refusal);
    else take(this.#state, batch, input);
    auditInput(this.#state, batch, input, effectsBefore);
  }

  /** When something is due by itself; null if nothing is. A batch with a lone `tick` at that time is enough. */
  nextWakeAt(): number | null {
    let next: number | null = null;
    for (const module of modules) {
      const at = module.nextWakeAt?.(this.#state) ?? null;
      if (at !== null && (next === null || at < next)) next = at;
    }
    return next;
  }

  /** Puts a committed record in its place and decides nothing: how a follower keeps up, and how a leader is rebuilt. */
  apply(write: Write, now: number): void {
    const apply = applies[write.kind] as (state: SchedulerState, write: Write, now: number) => void;
    apply(this.#state, write, now);
  }

  /** True if a digest of the leader's did not match: this memory is not what the journal says, and must be dropped. */
  get hasDrifted(): boolean {
    return this.#state.hasDrifted;
  }

  /** Takes a task as the store's view has it. */
  load(head: TaskHead, status: TaskStatus): void {
    this.#state.tasks.restore(head, status);
  }

  /** Takes the number of finished tasks that the store's view has. */
  loadCount(queue: string, state: TaskState, count: number): void {
    this.#state.queues.open(queue).count(state, count);
  }

  /** Workers that may be alive where a probe could tell, and that have not been found there yet. */
  *unproven(): Generator<{ readonly worker: WorkerId; readonly boot: BootId } & ProbeAddress> {
    for (const { id, boot, record, isProbeTrusted, isGivenUp } of this.#state.workers) {
      if (record.probe !== undefined && !isProbeTrusted && !isGivenUp) yield { worker: id, boot, ...record.probe };
    }
  }

  /** While it only follows: this master has found this boot alive at this address. */
  trustProbe(id: WorkerId, boot: BootId, address: ProbeAddress): void {
    const worker = this.#state.workers.get(id);
    if (worker?.listensAt(boot, address) === true) worker.isProbeTrusted = true;
  }

  /**
   * From here on it decides. `seq` is the last entry that it has been given, the marker of `epoch`.
   * @returns what is to be released at once: it rests on nothing but the journal
   */
  activate(now: number, epoch: number, seq: number, clockLagMs = 0): readonly SchedulerEffect[] {
    this.#state.tasks.clockLagMs = clockLagMs;
    const state = this.#state;
    state.epoch = epoch;
    state.clockSureAt = now + state.settings.clockSettleMs;
    state.digestBefore = digestOf(state);
    const batch: Batch = { now, out: { seq, writes: [], effects: [] } };
    for (const task of state.tasks) for (const module of takers) module.takeUp?.(state, batch, task);
    for (const module of modules) module.activate?.(state, batch);
    return batch.out.effects;
  }

  /** Equal for two schedulers that remember the same tasks and records alike; see digest.ts. */
  get digest(): DigestSums {
    return digestOf(this.#state);
  }

  /** Tasks by state over all queues, or those that match one of `patterns`; finished ones included. */
  countTasks(patterns?: readonly string[]): Partial<Record<TaskState, number>> {
    const total: Partial<Record<TaskState, number>> = {};
    for (const queue of this.#state.queues) {
      if (!coversQueue(patterns, queue.name)) continue;
      for (const [state, count] of Object.entries(queue.counts) as [TaskState, number][]) {
        total[state] = (total[state] ?? 0) + count;
      }
    }
    return total;
  }

  /** Users, tokens and sessions as this memory has them: on a leader with what is about to be committed. */
  get principals(): Principals {
    return this.#state.principals;
  }

  /** Webhooks as this memory has them: on a leader with what is about to be committed. */
  *webhookRecords(): Generator<WebhookRecord> {
    for (const { record } of this.#state.webhooks) yield record;
  }

  /** The queue of an unfinished task; undefined for any other. */
  queueOf(id: TaskId): string | undefined {
    return this.#state.tasks.get(id)?.queue.name;
  }

  *workerRecords(): Generator<WorkerRecord> {
    for (const { record } of this.#state.workers) yield record;
  }

  /** The same documents with what this memory knows besides, for people: why tasks wait, how many children are in which state. */
  addViews(documents: readonly TaskDocument[], now: number, isLed: boolean): readonly TaskDocument[] {
    return addViews(this.#state, documents, new WaitingReasons(this.#state, now, isLed));
  }

  /** How many tasks wait for each reason; nothing where this memory only follows. See `WaitingReasons.count` for `patterns`. */
  countWaiting(now: number, isLed: boolean, patterns?: readonly string[]): Partial<Record<WaitingReason, number>> {
    return new WaitingReasons(this.#state, now, isLed).count(patterns);
  }

  /** From now on the steps of tasks are kept until they are taken. */
  countSteps(): void {
    this.#state.tasks.steps = [];
  }

  /** The steps that were decided since the last call. They happened only if what was written with them is committed. */
  takeSteps(): readonly TaskStep[] {
    const steps = this.#state.tasks.steps ?? [];
    if (steps.length > 0) this.#state.tasks.steps = [];
    return steps;
  }

  /** Roots of families that have ended, and that unfinished tasks name in `after`: they must not be forgotten. */
  *pinned(): Generator<TaskId> {
    const { dependencies, tasks } = this.#state;
    for (const root of dependencies.pinned.keys()) if (tasks.get(root) === undefined) yield root;
  }

  /** Slots of the workers whose stream is open, and how many of them run an attempt. */
  countSlots(): { readonly total: number; readonly used: number } {
    let total = 0;
    let used = 0;
    for (const worker of this.#state.workers) {
      if (!worker.isOpen) continue;
      total += worker.record.capacity;
      used += worker.usedSlots;
    }
    return { total, used };
  }

  /** Since when the task has waited that is first in its lane and has waited longest; null if none could start now. `patterns` are of queues. */
  oldestReadyAt(patterns?: readonly string[]): number | null {
    let oldest: number | null = null;
    for (const lane of this.#state.lanes) {
      if (!coversQueue(patterns, lane.queue.name)) continue;
      const first = lane.ready.peek();
      if (first !== undefined && (oldest === null || first.orderAt < oldest)) oldest = first.orderAt;
    }
    for (const { orderAt, queue } of this.#state.lanes.suspects)
      if (coversQueue(patterns, queue.name) && (oldest === null || orderAt < oldest)) oldest = orderAt;
    return oldest;
  }

  countConnectedWorkers(): number {
    let count = 0;
    for (const worker of this.#state.workers) if (worker.isOpen) count += 1;
    return count;
  }

  #tick(batch: Batch): void {
    const state = this.#state;
    for (const module of modules) module.step?.(state, batch);
    state.tasks.writeTouched(batch);
    state.families.writeTouched(batch);
    state.rates.writeTouched(batch);
    if (state.webhooks.size > 0) {
      state.webhooks.noteAlarms(batch);
      state.webhooks.writeTouched(batch);
    }
    const { writes, seq } = batch.out;
    state.records.noteAll(writes);
    if (writes.length === 0) return;
    if (seq % limits.entriesPerDigest === 0) writes.unshift({ kind: "digest", digest: state.digestBefore });
    state.digestBefore = digestOf(state);
  }
}

function digestOf({ tasks, records }: SchedulerState): DigestSums {
  return { tasks: tasks.digest, ...records.sums };
}
