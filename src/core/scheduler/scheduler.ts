/**
 * The leader's brain: which task runs where, what is tried again, who is given up.
 *
 * Told what happened, it answers with records to write and effects to release once they are committed. It never awaits,
 * reads no clock and draws no random number: the same inputs at the same times always lead to the same output.
 *
 * A batch is any number of `step`s closed by a `tick`, all with one `now`. A master that follows the journal feeds `apply`
 * instead, and calls `activate` at the moment it becomes the leader.
 */
import type { DigestSums, Write } from "../../model/entry.ts";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { isFinal, type TaskHead, type TaskState, type TaskStatus } from "../../model/task.ts";
import type { ProbeAddress } from "../../model/worker.ts";
import { armBackstop, cancelTask, timeOutAttempt } from "./attempts.ts";
import { isSameDigest } from "./digest.ts";
import { dispatch } from "./dispatch.ts";
import type { Batch, Reply, SchedulerEffect, SchedulerOutput } from "./effects.ts";
import { awaitReturn, loseWorker, noteProbe, passTime, shiftSilence, watchAfterElection } from "./failureDetector.ts";
import type { RequestId, SchedulerInput } from "./inputs.ts";
import { MassLoss } from "./massLoss.ts";
import { Queues } from "./queues.ts";
import { Records } from "./records.ts";
import { attach, beat, closeStream, drainWorker, openStream, report } from "./sessions.ts";
import { refuse, type SchedulerSettings, type SchedulerState } from "./state.ts";
import { submit } from "./submit.ts";
import { Tasks } from "./tasks.ts";
import { Workers } from "./workers.ts";

export class Scheduler {
  readonly #state: SchedulerState;

  constructor(settings: Partial<SchedulerSettings> = {}) {
    const queues = new Queues();
    const workers = new Workers(queues);
    this.#state = {
      tasks: new Tasks(queues),
      queues,
      workers,
      records: new Records(queues, workers),
      massLoss: new MassLoss(),
      settings: { ...defaults, ...settings },
      epoch: 0,
      sessions: 0,
      patientUntil: 0,
      isDispatchCut: false,
      digestBefore: { tasks: 0 },
      hasDrifted: false,
    };
  }

  /** Takes one input; what follows from it is added to `out`. Close the batch with `tick`. */
  step(now: number, input: SchedulerInput, out: SchedulerOutput): void {
    const state = this.#state;
    const batch = { now, out };
    switch (input.kind) {
      case "submit":
        return reply(batch, input.request, submit(state, batch, input.specs, input.lookup));
      case "cancel":
        return reply(batch, input.request, this.#cancel(batch, input.id));
      case "set-queue":
        return reply(batch, input.request, this.#setQueue(batch, input.name, input.isPaused));
      case "drain-worker":
        return reply(batch, input.request, drainWorker(state, batch, input.worker));
      case "inspect-workers":
        return reply(batch, input.request, {
          kind: "workers",
          workers: [...state.workers].map((worker) => worker.toView()),
        });
      case "inspect-queues":
        return reply(batch, input.request, this.#inspectQueues());
      case "attach":
        return reply(batch, input.request, attach(state, batch, input.worker, input.attach, input.host));
      case "opened":
        return openStream(state, batch, input.worker, input.session);
      case "closed":
        return closeStream(state, batch, input.worker, input.session);
      case "beat":
        return beat(state, batch, input.worker, input.session);
      case "report":
        return reply(batch, input.request, report(state, batch, input));
      case "report-exit":
        return reply(batch, input.request, this.#reportExit(batch, input.worker, input.boot));
      case "probed":
        return noteProbe(state, batch, input);
      case "clock-gap":
        return this.#shiftDeadlines(batch, input.forMs);
      case "let-go":
        return awaitReturn(state, batch);
      case "forget":
        return this.#forget(batch, input.tasks);
      case "tick":
        return this.#tick(batch);
      default:
        input satisfies never;
    }
  }

  /** When something is due by itself; null if nothing is. A batch with a lone `tick` at that time is enough. */
  nextWakeAt(): number | null {
    if (this.#state.isDispatchCut) return 0;
    const taskAt = this.#state.tasks.nextWakeAt;
    const workerAt = this.#state.workers.nextWakeAt;
    if (taskAt === null || workerAt === null) return taskAt ?? workerAt;
    return Math.min(taskAt, workerAt);
  }

  /** Puts a committed record in its place and decides nothing: how a follower keeps up, and how a leader is rebuilt. */
  apply(write: Write, now: number): void {
    const { tasks, queues, records } = this.#state;
    switch (write.kind) {
      case "spec":
        if (tasks.get(write.spec.id) === undefined) tasks.add(write.spec);
        return;
      case "status":
        return tasks.applyStatus(write.status);
      case "record":
        return records.apply(write, now);
      case "forget-task":
        tasks.recentlyFinished.forget(write.id);
        return queues.open(write.queue).count(write.state, -1);
      case "digest":
        if (!isSameDigest(this.digest, write.digest)) this.#state.hasDrifted = true;
        return;
      case "marker":
        return;
      default:
        write satisfies never;
    }
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
  activate(now: number, epoch: number, seq: number): readonly SchedulerEffect[] {
    const state = this.#state;
    state.epoch = epoch;
    state.tasks.recentlyFinished.reset(seq);
    state.digestBefore = this.digest;
    const batch: Batch = { now, out: { seq, writes: [], effects: [] } };
    for (const task of state.tasks) {
      switch (task.state) {
        case "created":
          state.tasks.enqueue(task, task.startAt ?? 0, now);
          break;
        case "retrying":
          state.tasks.enqueue(task, task.last?.retryAt ?? 0, now);
          break;
        case "killed":
          state.tasks.enqueue(task, 0, now);
          break;
        case "running":
          if (task.run !== null) state.workers.get(task.run.host)?.hold(task);
          armBackstop(state, batch, task, now);
          break;
        case "blocked":
        case "waiting":
        case "success":
        case "failed":
        case "cancelled":
          break;
        default:
          task.state satisfies never;
      }
    }
    watchAfterElection(state, batch);
    return batch.out.effects;
  }

  /** Equal for two schedulers that remember the same tasks and records alike; see digest.ts. */
  get digest(): DigestSums {
    return { tasks: this.#state.tasks.digest, ...this.#state.records.sums };
  }

  /** Tasks by state over all queues, finished ones included. */
  countTasks(): Partial<Record<TaskState, number>> {
    const total: Partial<Record<TaskState, number>> = {};
    for (const queue of this.#state.queues) {
      for (const [state, count] of Object.entries(queue.counts) as [TaskState, number][]) {
        total[state] = (total[state] ?? 0) + count;
      }
    }
    return total;
  }

  countConnectedWorkers(): number {
    let count = 0;
    for (const worker of this.#state.workers) if (worker.isOpen) count += 1;
    return count;
  }

  #tick(batch: Batch): void {
    const state = this.#state;
    for (let task = state.tasks.popDue(batch.now); task !== undefined; task = state.tasks.popDue(batch.now)) {
      if (task.state === "running") timeOutAttempt(state, batch, task);
      else state.queues.enqueue(task);
    }
    passTime(state, batch);
    dispatch(state, batch);
    state.tasks.writeTouched(batch);
    const { writes, seq } = batch.out;
    state.records.noteAll(writes);
    if (writes.length > 0 && seq % limits.entriesPerDigest === 0) {
      writes.unshift({ kind: "digest", digest: state.digestBefore });
    }
    state.digestBefore = this.digest;
  }

  #cancel(batch: Batch, id: TaskId): Reply {
    const task = this.#state.tasks.get(id);
    if (task === undefined) return refuse("not-found", `There is no unfinished task ${id}.`);
    cancelTask(this.#state, batch, task);
    return { kind: "cancelled", id };
  }

  #setQueue(batch: Batch, name: string, isPaused: boolean): Reply {
    const { queues } = this.#state;
    if (queues.wouldOverflow([name]))
      return refuse("too-many", "There are as many queues as there may be.", "queuesMax");
    const queue = queues.open(name);
    if (queue.isPaused !== isPaused) {
      queues.setPaused(queue, isPaused);
      queue.hasRecord = true;
      batch.out.writes.push({ kind: "record", collection: "queues", id: name, value: { name, isPaused } });
    }
    return { kind: "done" };
  }

  #inspectQueues(): Reply {
    const served = new Map<string, number>();
    for (const worker of this.#state.workers) {
      if (!worker.isOpen) continue;
      for (const queue of worker.queues) served.set(queue.name, (served.get(queue.name) ?? 0) + 1);
    }
    const queues = [...this.#state.queues].map(({ name, isPaused, counts }) => ({
      name,
      isPaused,
      tasks: { ...counts } as Record<string, number>,
      workers: served.get(name) ?? 0,
    }));
    return { kind: "queues", queues };
  }

  #reportExit(batch: Batch, id: WorkerId, boot: BootId): Reply {
    const worker = this.#state.workers.get(id);
    if (worker === undefined) return refuse("not-found", `There is no worker ${id}.`);
    if (worker.boot === boot && !worker.isGivenUp) loseWorker(this.#state, batch, worker, "its supervisor saw it exit");
    return { kind: "done" };
  }

  /** Nothing could be seen for a while: whoever was silent, or late, meanwhile may not have been. */
  #shiftDeadlines(batch: Batch, forMs: number): void {
    shiftSilence(this.#state, batch, forMs);
    for (const worker of this.#state.workers) {
      for (const task of worker.tasks.values()) {
        if (task.heapIndex === -1) continue;
        const dueAt = task.wakeAt + forMs;
        this.#state.tasks.unplace(task);
        this.#state.tasks.wakeAt(task, dueAt);
      }
    }
  }

  #forget(batch: Batch, finished: readonly { id: TaskId; queue: string; state: TaskState }[]): void {
    for (const { id, queue, state } of finished) {
      if (!isFinal(state) || this.#state.tasks.get(id) !== undefined) continue;
      this.#state.tasks.recentlyFinished.forget(id);
      this.#state.queues.open(queue).count(state, -1);
      batch.out.writes.push({ kind: "forget-task", id, queue, state });
    }
  }
}

function reply(batch: Batch, request: RequestId, answer: Reply): void {
  batch.out.effects.push({ kind: "reply", request, reply: answer });
}
