/**
 * The leader's brain: which task runs where, what is tried again, who is given up.
 *
 * Told what happened, it answers with records to write and effects to release once they are committed. It never awaits,
 * reads no clock and draws no random number: the same inputs at the same times always lead to the same output.
 *
 * A batch is any number of `step`s closed by a `tick`, all with one `now`. A master that follows the journal feeds `apply`
 * instead, and calls `activate` at the moment it becomes the leader.
 */
import type { Write } from "../../model/entry.ts";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { isFinal, type TaskHead, type TaskState, type TaskStatus } from "../../model/task.ts";
import type { ProbeAddress } from "../../model/worker.ts";
import { armBackstop, cancelTask, timeOutAttempt } from "./attempts.ts";
import { type Board, refuse, type SchedulerSettings } from "./board.ts";
import { awaitReturn, loseWorker, noteProbe, passTime, shiftSilence, watchAfterElection } from "./deaths.ts";
import { dispatch } from "./dispatch.ts";
import type { Batch, Reply, SchedulerEffect, SchedulerOutput } from "./effects.ts";
import type { RequestId, SchedulerInput } from "./inputs.ts";
import { MassLoss } from "./massLoss.ts";
import { Queues } from "./queues.ts";
import { attach, beat, closeStream, drainWorker, openStream, report } from "./sessions.ts";
import { submit } from "./submit.ts";
import { Tasks } from "./tasks.ts";
import { Workers } from "./workers.ts";

export class Scheduler {
  readonly #board: Board;

  constructor(settings: Partial<SchedulerSettings> = {}) {
    const queues = new Queues();
    this.#board = {
      tasks: new Tasks(queues),
      queues,
      workers: new Workers(queues),
      massLoss: new MassLoss(),
      settings: { ...defaults, ...settings },
      epoch: 0,
      sessions: 0,
      patientUntil: 0,
      isDispatchCut: false,
      digestBefore: 0,
      hasDrifted: false,
    };
  }

  /** Takes one input; what follows from it is added to `out`. Close the batch with `tick`. */
  step(now: number, input: SchedulerInput, out: SchedulerOutput): void {
    const board = this.#board;
    const batch = { now, out };
    switch (input.kind) {
      case "submit":
        return reply(batch, input.request, submit(board, batch, input.specs, input.lookup));
      case "cancel":
        return reply(batch, input.request, this.#cancel(batch, input.id));
      case "set-queue":
        return reply(batch, input.request, this.#setQueue(batch, input.name, input.isPaused));
      case "drain-worker":
        return reply(batch, input.request, drainWorker(board, batch, input.worker));
      case "inspect-workers":
        return reply(batch, input.request, {
          kind: "workers",
          workers: [...board.workers].map((worker) => worker.toView()),
        });
      case "inspect-queues":
        return reply(batch, input.request, this.#inspectQueues());
      case "attach":
        return reply(batch, input.request, attach(board, batch, input.worker, input.attach, input.host));
      case "opened":
        return openStream(board, batch, input.worker, input.session);
      case "closed":
        return closeStream(board, batch, input.worker, input.session);
      case "beat":
        return beat(board, batch, input.worker, input.session);
      case "report":
        return reply(batch, input.request, report(board, batch, input));
      case "report-exit":
        return reply(batch, input.request, this.#reportExit(batch, input.worker, input.boot));
      case "probed":
        return noteProbe(board, batch, input);
      case "blind":
        return this.#shiftDeadlines(batch, input.forMs);
      case "let-go":
        return awaitReturn(board, batch);
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
    if (this.#board.isDispatchCut) return 0;
    const taskAt = this.#board.tasks.nextWakeAt;
    const workerAt = this.#board.workers.nextWakeAt;
    if (taskAt === null || workerAt === null) return taskAt ?? workerAt;
    return Math.min(taskAt, workerAt);
  }

  /** Puts a committed record in its place and decides nothing: how a follower keeps up, and how a leader is rebuilt. */
  apply(write: Write, now: number): void {
    const { tasks, queues, workers } = this.#board;
    switch (write.kind) {
      case "spec":
        if (tasks.get(write.spec.id) === undefined) tasks.add(write.spec);
        return;
      case "status":
        return tasks.applyStatus(write.status);
      case "worker": {
        const worker = workers.put(write.worker, now);
        worker.state = write.worker.state === "connected" ? "suspect" : write.worker.state;
        return;
      }
      case "queue":
        return queues.restore(write.queue);
      case "forget-task":
        tasks.settled.forget(write.id);
        return queues.open(write.queue).count(write.state, -1);
      case "forget-worker":
        return workers.forget(write.id);
      case "digest":
        if (tasks.digest !== write.digest) this.#board.hasDrifted = true;
        return;
      case "marker":
        return;
      default:
        write satisfies never;
    }
  }

  /** True if a digest of the leader's did not match: this memory is not what the journal says, and must be dropped. */
  get hasDrifted(): boolean {
    return this.#board.hasDrifted;
  }

  /** Takes a task as the store's view has it. */
  load(head: TaskHead, status: TaskStatus): void {
    this.#board.tasks.restore(head, status);
  }

  /** Takes the number of finished tasks that the store's view has. */
  loadCount(queue: string, state: TaskState, count: number): void {
    this.#board.queues.open(queue).count(state, count);
  }

  /** Workers that may be alive where a probe could tell, and that have not been found there yet. */
  *unproven(): Generator<{ readonly worker: WorkerId; readonly boot: BootId } & ProbeAddress> {
    for (const { id, boot, record, isProbeTrusted, isGivenUp } of this.#board.workers) {
      if (record.probe !== undefined && !isProbeTrusted && !isGivenUp) yield { worker: id, boot, ...record.probe };
    }
  }

  /** While it only follows: this master has found this boot alive at this address. */
  trustProbe(id: WorkerId, boot: BootId, address: ProbeAddress): void {
    const worker = this.#board.workers.get(id);
    if (worker?.listensAt(boot, address) === true) worker.isProbeTrusted = true;
  }

  /**
   * From here on it decides. `seq` is the last entry that it has been given, the marker of `epoch`.
   * @returns what is to be released at once: it rests on nothing but the journal
   */
  activate(now: number, epoch: number, seq: number): readonly SchedulerEffect[] {
    const board = this.#board;
    board.epoch = epoch;
    board.tasks.settled.reset(seq);
    board.digestBefore = board.tasks.digest;
    const batch: Batch = { now, out: { seq, writes: [], effects: [] } };
    for (const task of board.tasks) {
      switch (task.state) {
        case "created":
          board.tasks.enqueue(task, task.startAt ?? 0, now);
          break;
        case "retrying":
          board.tasks.enqueue(task, task.last?.retryAt ?? 0, now);
          break;
        case "killed":
          board.tasks.enqueue(task, 0, now);
          break;
        case "running":
          if (task.run !== null) board.workers.get(task.run.host)?.hold(task);
          armBackstop(board, batch, task, now);
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
    watchAfterElection(board, batch);
    return batch.out.effects;
  }

  /** Equal for two schedulers that remember the same tasks alike; see digest.ts. */
  get digest(): number {
    return this.#board.tasks.digest;
  }

  /** Tasks by state over all queues, finished ones included. */
  countTasks(): Partial<Record<TaskState, number>> {
    const total: Partial<Record<TaskState, number>> = {};
    for (const queue of this.#board.queues) {
      for (const [state, count] of Object.entries(queue.counts) as [TaskState, number][]) {
        total[state] = (total[state] ?? 0) + count;
      }
    }
    return total;
  }

  countConnectedWorkers(): number {
    let count = 0;
    for (const worker of this.#board.workers) if (worker.isOpen) count += 1;
    return count;
  }

  #tick(batch: Batch): void {
    const board = this.#board;
    for (let task = board.tasks.popDue(batch.now); task !== undefined; task = board.tasks.popDue(batch.now)) {
      if (task.state === "running") timeOutAttempt(board, batch, task);
      else board.queues.enqueue(task);
    }
    passTime(board, batch);
    dispatch(board, batch);
    board.tasks.writeTouched(batch);
    const { writes, seq } = batch.out;
    if (writes.length > 0 && seq % limits.entriesPerDigest === 0) {
      writes.unshift({ kind: "digest", digest: board.digestBefore });
    }
    board.digestBefore = board.tasks.digest;
  }

  #cancel(batch: Batch, id: TaskId): Reply {
    const task = this.#board.tasks.get(id);
    if (task === undefined) return refuse("not-found", `There is no unfinished task ${id}.`);
    cancelTask(this.#board, batch, task);
    return { kind: "cancelled", id };
  }

  #setQueue(batch: Batch, name: string, isPaused: boolean): Reply {
    const { queues } = this.#board;
    if (queues.wouldOverflow([name]))
      return refuse("too-many", "There are as many queues as there may be.", "queuesMax");
    const queue = queues.open(name);
    if (queue.isPaused !== isPaused) {
      queues.setPaused(queue, isPaused);
      batch.out.writes.push({ kind: "queue", queue: { name, isPaused } });
    }
    return { kind: "done" };
  }

  #inspectQueues(): Reply {
    const served = new Map<string, number>();
    for (const worker of this.#board.workers) {
      if (!worker.isOpen) continue;
      for (const queue of worker.queues) served.set(queue.name, (served.get(queue.name) ?? 0) + 1);
    }
    const queues = [...this.#board.queues].map(({ name, isPaused, counts }) => ({
      name,
      isPaused,
      tasks: { ...counts } as Record<string, number>,
      workers: served.get(name) ?? 0,
    }));
    return { kind: "queues", queues };
  }

  #reportExit(batch: Batch, id: WorkerId, boot: BootId): Reply {
    const worker = this.#board.workers.get(id);
    if (worker === undefined) return refuse("not-found", `There is no worker ${id}.`);
    if (worker.boot === boot && !worker.isGivenUp) loseWorker(this.#board, batch, worker, "its supervisor saw it exit");
    return { kind: "done" };
  }

  /** Nothing could be seen for a while: whoever was silent, or late, meanwhile may not have been. */
  #shiftDeadlines(batch: Batch, forMs: number): void {
    shiftSilence(this.#board, batch, forMs);
    for (const worker of this.#board.workers) {
      for (const task of worker.tasks.values()) {
        if (task.heapIndex === -1) continue;
        const dueAt = task.wakeAt + forMs;
        this.#board.tasks.unplace(task);
        this.#board.tasks.wakeAt(task, dueAt);
      }
    }
  }

  #forget(batch: Batch, finished: readonly { id: TaskId; queue: string; state: TaskState }[]): void {
    for (const { id, queue, state } of finished) {
      if (!isFinal(state) || this.#board.tasks.get(id) !== undefined) continue;
      this.#board.tasks.settled.forget(id);
      this.#board.queues.open(queue).count(state, -1);
      batch.out.writes.push({ kind: "forget-task", id, queue, state });
    }
  }
}

function reply(batch: Batch, request: RequestId, answer: Reply): void {
  batch.out.effects.push({ kind: "reply", request, reply: answer });
}
