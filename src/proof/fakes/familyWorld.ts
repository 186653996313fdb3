/** A scheduler that leads, one that follows and takes over, and a worker whose attempts do what a test says. */

import type { AssignedAttempt, Reply, SchedulerEffect } from "../../core/scheduler/effects.ts";
import type { FinishedTree, Lookup, SchedulerInput } from "../../core/scheduler/inputs.ts";
import { type AttemptRecord, attemptRecordId, lastAttemptOf } from "../../model/attemptRecord.ts";
import {
  type ChildSetRecord,
  childId,
  childPrefix,
  type OpenFamily,
  type StepRecord,
  stepId,
} from "../../model/family.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { AttemptContent, ItemAnswer, ResultItem } from "../../model/protocol.ts";
import { type Submission, toSpec } from "../../model/submission.ts";
import type { TaskDocument, TaskSpec, TaskStatus } from "../../model/task.ts";
import { attachRequest } from "./attachRequest.ts";
import { FollowedLeader } from "./followedLeader.ts";

const worker = "w" as WorkerId;
export const nap: Submission = { kind: "sleep", input: { seconds: 1 } };

type AttemptEnd = Partial<ResultItem> & Pick<ResultItem, "outcome">;

/** A leader, a follower that is given every entry, and one worker with many slots. */
export class FamilyWorld extends FollowedLeader {
  readonly worker = worker;
  readonly statuses = new Map<string, TaskStatus>();
  readonly steps = new Map<string, StepRecord>();
  readonly endedSets = new Map<string, ChildSetRecord>();
  /** Records of attempts, by their ids. */
  readonly attempts = new Map<string, AttemptRecord>();
  /** Attempts that were assigned and have not ended. */
  readonly running = new Map<string, AssignedAttempt>();
  readonly aborted: string[] = [];
  readonly specs = new Map<string, TaskSpec>();
  readonly forgotten: string[] = [];
  /** How many records each entry has had. */
  readonly entrySizes: number[] = [];
  /** The entry in which each task was assigned last. */
  readonly assignedIn = new Map<string, number>();
  /** Brings more inputs with every entry. */
  onBatch: (seq: number) => readonly SchedulerInput[] = () => [];
  /** What the shell has read for the scheduler. */
  #answers: SchedulerInput[] = [];
  #request = 0;
  #itemId = 0;
  #session = "";

  private readonly capacity: number;

  constructor(capacity = 100) {
    super();
    this.capacity = capacity;
    this.connect(capacity);
  }

  connect(capacity = this.capacity): void {
    const kinds = ["sleep", "crawl", "exec", "map-reduce", "map-reduce.map"];
    const serves = { kinds, queues: ["default", "etl"], labels: ["disk"] };
    const attach = attachRequest({ capacity, ...serves, running: this.#held() });
    const [reply] = this.tell({ kind: "attach", request: 0, worker, attach, host: "h" });
    if (reply?.kind !== "attached") throw new Error("not attached");
    this.#session = reply.session;
    this.tell({ kind: "opened", worker, session: reply.session });
  }

  #held() {
    return [...this.running.values()].map(({ task, attempt, assignedAt }) => ({
      task,
      attempt,
      assignedAt,
      startedAt: 0,
    }));
  }

  /** One batch. @returns the replies */
  tell(...inputs: SchedulerInput[]): Reply[] {
    const replies: Reply[] = [];
    this.#batch(inputs, replies);
    // What is under way by itself, such as a walk over many children, goes on in batches of its own.
    for (;;) {
      const at = this.leader.nextWakeAt();
      if (this.#answers.length === 0 && (at === null || at > this.now)) break;
      this.#batch(this.#answers.splice(0), replies);
    }
    this.#checkFollower();
    return replies;
  }

  /** Reads from the store what the scheduler asks for. */
  protected read(effect: SchedulerEffect): readonly SchedulerInput[] {
    if (effect.kind !== "look-up-attempts") return [];
    return effect.ends.flatMap(({ task, attempt, endedAt: processEndedAt }): SchedulerInput[] => {
      const record = this.attempts.get(attemptRecordId(task, attempt));
      if (record === undefined) return [];
      return [{ kind: "process-ended", task, seq: effect.seq, record: { ...record, processEndedAt } }];
    });
  }

  #batch(inputs: readonly SchedulerInput[], replies: Reply[]): void {
    const { writes, effects } = this.commit([...inputs, ...this.onBatch(this.seq + 1)]);
    for (const read of writes) {
      if (read.kind === "forget-task") this.forgotten.push(read.id);
      if (read.kind === "spec") this.specs.set(read.spec.id, read.spec);
      if (read.kind === "status") this.statuses.set(read.status.id, read.status);
      if (read.kind === "record" && read.collection === "steps" && read.value !== null)
        this.steps.set(read.id, read.value);
      if (read.kind === "record" && read.collection === "endedSets" && read.value !== null)
        this.endedSets.set(read.id, read.value);
      if (read.kind === "record" && read.collection === "attempts") {
        if (read.value === null) this.attempts.delete(read.id);
        else this.attempts.set(read.id, read.value);
      }
    }
    this.entrySizes.push(writes.length);
    for (const effect of effects) {
      this.#answers.push(...this.read(effect));
      if (effect.kind === "reply") replies.push(effect.reply);
      if (effect.kind === "assign") {
        for (const attempt of effect.attempts) {
          this.running.set(attempt.task, attempt);
          this.assignedIn.set(attempt.task, this.seq);
        }
      }
      if (effect.kind === "abort") {
        for (const { task } of effect.attempts) {
          this.running.delete(task);
          this.aborted.push(task);
        }
      }
    }
  }

  /** The leader is gone; the follower takes over, and the worker comes back to it with what it runs. */
  failOver(): void {
    // What the leader before had asked for went with it.
    this.#answers = [];
    for (const effect of this.takeOver()) this.#answers.push(...this.read(effect));
    this.connect();
  }

  pass(ms: number): void {
    this.now += ms;
    this.tell({ kind: "beat", worker, session: this.#session as SessionId });
  }

  submit(id: string, more: Partial<Submission> = {}, lookup: Lookup | null = null): Reply | undefined {
    return this.tell(this.submission(id, more, lookup))[0];
  }

  submission(id: string, more: Partial<Submission> = {}, lookup: Lookup | null = null): SchedulerInput {
    const spec = toSpec({ kind: "crawl", input: {}, ...more }, { id: id as TaskId, fingerprint: null, now: this.now });
    this.#request += 1;
    return { kind: "submit", request: this.#request, specs: [spec], lookup };
  }

  cancel(id: string): void {
    this.tell({ kind: "cancel", request: 0, id: id as TaskId });
  }

  send(task: string, content: AttemptContent, id = (this.#itemId += 1)): ItemAnswer | undefined {
    const attempt = this.running.get(task);
    if (attempt === undefined) throw new Error(`${task} does not run`);
    const { task: taskId, attempt: number, assignedAt } = attempt;
    const item = { ...content, task: taskId, attempt: number, assignedAt, id };
    const [reply] = this.tell({
      kind: "report",
      request: 0,
      worker,
      session: this.#session as SessionId,
      items: [item],
    });
    return reply?.kind === "reported" ? reply.acks.map(({ id: _id, ...answer }) => answer as ItemAnswer)[0] : undefined;
  }

  children(
    task: string,
    key: string,
    count: number,
    more: Partial<Extract<AttemptContent, { kind: "children" }>> = {},
  ) {
    const submissions = Array.from({ length: count }, (_, index) => ({ ...nap, name: `${key} ${index}` }));
    return this.send(task, {
      kind: "children",
      key,
      first: 0,
      submissions,
      before: "",
      isLast: true,
      onFailure: "wait",
      ...more,
    });
  }

  end(task: string, end: AttemptEnd): void {
    this.tell(this.ending(task, end));
  }

  /** The report that the attempt of this task has ended. */
  ending(task: string, end: AttemptEnd): SchedulerInput {
    const attempt = this.running.get(task);
    if (attempt === undefined) throw new Error(`${task} does not run`);
    this.running.delete(task);
    const { task: taskId, attempt: number, assignedAt } = attempt;
    const times = { startedAt: this.now, endedAt: this.now };
    const boot = "boot-1" as BootId;
    const item: ResultItem = { kind: "result", task: taskId, attempt: number, assignedAt, boot, ...times, ...end };
    return { kind: "report", request: 0, worker, session: this.#session as SessionId, items: [item] };
  }

  suspend(task: string, ...waits: NonNullable<ResultItem["waits"]>): void {
    this.end(task, { outcome: "suspended", waits });
  }

  succeed(...tasks: string[]): void {
    for (const task of tasks) this.end(task, { outcome: "success", output: { of: task } });
  }

  fail(task: string, code = "exit"): void {
    this.end(task, { outcome: "failed", error: { code, message: "it failed" } });
  }

  /** The leader decides the outcome and dies before it has told all descendants. */
  cancelWithoutWalk(task: string): void {
    this.#batch([{ kind: "cancel", request: 0, id: task as TaskId }], []);
  }

  /** @param found what the store shows; the task alone if left out */
  retry(task: string, isFromScratch = false, found = this.found(task)): Reply | undefined {
    return this.tell({ kind: "retry", request: 0, id: task as TaskId, attempt: null, isFromScratch, found })[0];
  }

  /** These tasks and all sets that have ended, as the store shows them now. */
  found(...ids: string[]): FinishedTree {
    const tasks = ids.map((id) => {
      const [head, status] = [this.specs.get(id), this.statuses.get(id)];
      if (head === undefined || status === undefined) throw new Error(`There is no task ${id}.`);
      return { head, status };
    });
    const sets = [...this.endedSets].map(([id, record]) => ({ prefix: id.slice(id.indexOf("/") + 1), record }));
    return { seq: this.seq, ends: new Map(), tasks, sets };
  }

  signal(task: string, id: string, name: string): Reply | undefined {
    const signal = { id, name, payload: { from: id } };
    return this.tell({ kind: "signal", request: 0, task: task as TaskId, signal })[0];
  }

  family(task: string): OpenFamily | undefined {
    const attempt = this.running.get(task);
    if (attempt === undefined) throw new Error(`${task} does not run`);
    const input = { kind: "inspect-family", request: 0, worker, session: this.#session as SessionId, attempt } as const;
    const [reply] = this.tell(input);
    return reply?.kind === "family" ? reply.family : undefined;
  }

  state(task: string): string | undefined {
    const status = this.statuses.get(task);
    return status?.family?.ending === undefined ? status?.state : `${status.state}, ending as ${status.family.ending}`;
  }

  step(task: string, key: string): StepRecord | undefined {
    return this.steps.get(stepId(task as TaskId, 0, key));
  }

  child(task: string, key: string, index: number): string {
    return childId(childPrefix(task as TaskId, 0, key), index);
  }

  /** `1 failed, 2 success`: those with a record, and the one that the status tells of. */
  attemptsOf(task: string): string {
    const status = this.statuses.get(task);
    const last = status === undefined ? null : lastAttemptOf(status);
    const recorded = [...this.attempts].filter(([id]) => id.startsWith(`${task}/`)).map(([, record]) => record);
    const all = last === null ? recorded : [...recorded, last];
    return all.map(({ attempt, outcome = "running" }) => `${attempt} ${outcome}`).join(", ");
  }

  /** What people are shown of a task, by the leader or by the follower. */
  view(task: string, scheduler = this.leader): TaskDocument | undefined {
    const status = this.statuses.get(task);
    if (status === undefined) throw new Error(`There is no task ${task}.`);
    return scheduler.addViews([status as TaskDocument], this.now, true)[0];
  }

  #checkFollower(): void {
    const [own, leaders] = [this.follower.digest, this.leader.digest].map((digest) => JSON.stringify(digest));
    if (this.follower.hasDrifted || own !== leaders)
      throw new Error(`The follower has drifted: ${own}, not ${leaders}.`);
  }
}
