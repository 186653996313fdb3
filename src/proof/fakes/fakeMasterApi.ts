/** A master's face with no master behind it: answers from plain maps, remembers what it was asked, and can be told to fail. */

import type { MasterObserver } from "../../master/journal/loopStats.ts";
import type {
  ChangeBatch,
  MasterApi,
  MasterStats,
  MasterStatus,
  Subscription,
} from "../../master/service/masterApi.ts";
import type { RetryOptions } from "../../master/service/retryService.ts";
import type { ProgressChange } from "../../master/streams/progressBoard.ts";
import type { Write } from "../../model/entry.ts";
import { OutlastError } from "../../model/errors.ts";
import type { ChildrenPage, ChildrenRequest, PendingSignal, StepsPage, StepsRequest } from "../../model/family.ts";
import type { GraphView } from "../../model/graphs/graphView.ts";
import type { BootId, Incarnation, Nonce, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { LeaderBeat } from "../../model/lease.ts";
import type { MemberView } from "../../model/member.ts";
import type { AttachAnswer, AttachRequest, LogChunk, ReportAnswer, ReportRequest } from "../../model/protocol.ts";
import { type Submission, toSpec } from "../../model/submission.ts";
import { isFinal, type TaskDocument, type TaskStatus } from "../../model/task.ts";
import type { QueueSettings, QueueView, WorkerView } from "../../model/worker.ts";
import type { TaskPage, TaskQuery } from "../../ports/store.ts";
import type { StreamSink } from "../../ports/transport.ts";
import { FakeBlobApi } from "./fakeBlobApi.ts";
import { FakeBulkApi } from "./fakeBulkApi.ts";
import { FakePrincipalApi } from "./fakePrincipalApi.ts";
import { FakeScheduleApi } from "./fakeScheduleApi.ts";
import { FakeTaskViewApi } from "./fakeTaskViewApi.ts";
import { FakeTemplateApi } from "./fakeTemplateApi.ts";
import { FakeWebhookApi } from "./fakeWebhookApi.ts";

export class FakeMasterApi implements MasterApi {
  /** Every call that would change something, in order. */
  readonly calls: { readonly name: string; readonly with: readonly unknown[] }[] = [];
  readonly tasks = new Map<TaskId, TaskDocument>();
  readonly logs: LogChunk[] = [];
  readonly batches: ChangeBatch[] = [];
  readonly sinks = new Map<SessionId, StreamSink>();
  readonly closedSessions: SessionId[] = [];
  readonly listeners = new Set<(batch: ChangeBatch) => unknown>();
  readonly gapListeners = new Set<() => void>();
  readonly logListeners = new Set<() => void>();
  readonly beatListeners = new Set<(beat: LeaderBeat) => void>();
  readonly progressListeners = new Set<(change: ProgressChange) => void>();
  readonly templates = new FakeTemplateApi((submissions, key) => this.submit(submissions, key));
  readonly schedules = new FakeScheduleApi();
  readonly webhooks = new FakeWebhookApi();
  readonly blobs = new FakeBlobApi();
  readonly bulk = new FakeBulkApi(this);
  readonly principals = new FakePrincipalApi();
  readonly views = new FakeTaskViewApi(this.tasks);
  /** What calls of these names reject with. */
  readonly failures = new Map<string, Error>();
  lastQuery: TaskQuery | null = null;
  workerViews: WorkerView[] = [];
  /** The journal has been compacted up to here. */
  compactedSeq = 0;
  state: MasterStatus = {
    name: "fake",
    nonce: "nonce" as Nonce,
    address: "http://127.0.0.1:7070",
    role: "leader",
    epoch: 3,
    seq: 0,
    leader: "http://127.0.0.1:7070",
    incarnation: "incarnation" as Incarnation,
    store: "none",
    durability: "none",
    trouble: null,
    startedAt: 1,
    roleSince: 2,
    now: 3,
  };

  status(): MasterStatus {
    this.#failIfReported("status");
    return this.state;
  }

  observer: MasterObserver | null = null;

  observe(observer: MasterObserver): void {
    const before = this.observer;
    this.observer =
      before === null
        ? observer
        : {
            committed: (tookMs) => [before, observer].forEach((each) => each.committed(tookMs)),
            began: (task, waitedMs) => [before, observer].forEach((each) => each.began(task, waitedMs)),
            attemptEnded: (...told) => [before, observer].forEach((each) => each.attemptEnded(...told)),
            taskEnded: (...told) => [before, observer].forEach((each) => each.taskEnded(...told)),
          };
  }

  stats(): MasterStats {
    const tasks: { [state: string]: number } = {};
    for (const { state } of this.tasks.values()) tasks[state] = (tasks[state] ?? 0) + 1;
    return {
      commits: 4,
      inputs: 9,
      writes: 7,
      inboxLength: 2,
      tasks,
      slots: { total: 0, used: 0 },
      oldestWaitMs: 0,
      waiting: { key: 3 },
      workersConnected: 1,
      commitMs: { p50: 2, p90: 40, p99: 40, max: 40 },
      webhooks: [],
      drifts: 0,
      elections: 2,
      roleChanges: 3,
    };
  }

  members(): readonly MemberView[] {
    return [];
  }

  async submit(submissions: readonly Submission[], key: string | null) {
    this.#note("submit", submissions, key);
    const isBatch = submissions.length > 1;
    const specs = submissions.map((submission, index) => {
      const id = (submission.id ?? `t${this.tasks.size + index}`) as TaskId;
      return toSpec(submission, { id, fingerprint: null, now: 1000 }, isBatch ? `/tasks/${index}` : "");
    });
    return specs.map((spec) => {
      const isNew = !this.tasks.has(spec.id);
      const status = { state: "created", attempt: 0, failures: 0, kills: 0, changedAt: 1000 } as const;
      if (isNew) this.tasks.set(spec.id, { ...spec, ...status });
      return { id: spec.id, isNew };
    });
  }

  async cancel(id: TaskId): Promise<void> {
    this.#note("cancel", id);
    if (!this.tasks.has(id)) throw new OutlastError("not-found", `There is no task ${id}.`);
  }

  async retry(id: TaskId, options: RetryOptions): Promise<number> {
    this.#note("retry", id, options);
    const task = this.tasks.get(id);
    if (task === undefined) throw new OutlastError("not-found", `There is no task ${id}.`);
    return isFinal(task.state) ? 1 : 0;
  }

  async signal(task: TaskId, signal: PendingSignal): Promise<void> {
    this.#note("signal", task, signal);
    if (!this.tasks.has(task)) throw new OutlastError("not-found", `There is no task ${task}.`);
  }

  async readSteps(worker: WorkerId, request: StepsRequest): Promise<StepsPage> {
    this.#note("readSteps", worker, request);
    return { steps: [{ key: "a", step: { value: 1 } }], next: null, family: { sets: [], sleeps: [] } };
  }

  async readChildren(worker: WorkerId, request: ChildrenRequest): Promise<ChildrenPage> {
    this.#note("readChildren", worker, request);
    return { children: [], next: null };
  }

  async setQueue(name: string, settings: QueueSettings): Promise<void> {
    this.#note("setQueue", name, settings);
  }

  async drainWorker(id: WorkerId): Promise<void> {
    this.#note("drainWorker", id);
  }

  async workers(): Promise<readonly WorkerView[]> {
    this.#failIfReported("workers");
    return this.workerViews;
  }

  async queues(): Promise<readonly QueueView[]> {
    return [{ name: "default", isPaused: false, tasks: { created: this.tasks.size }, workers: 1 }];
  }

  async barrier(): Promise<number> {
    this.#note("barrier");
    return this.state.seq;
  }

  queueOf(id: TaskId): string | null {
    return this.tasks.get(id)?.queue ?? null;
  }

  async readTask(id: TaskId): Promise<TaskDocument | null> {
    this.#failIfReported("readTask");
    return this.tasks.get(id) ?? null;
  }

  async readGraph(id: TaskId, cursor: number, limit: number): Promise<GraphView | null> {
    this.#failIfReported("readGraph");
    const task = await this.readTask(id);
    if (task === null) return null;
    const { name, kind, state } = task;
    return {
      id,
      name,
      kind,
      state,
      parent: null,
      after: [],
      dependents: [],
      total: cursor + limit,
      nodes: [],
      next: null,
    };
  }

  async listTasks(query: TaskQuery): Promise<TaskPage> {
    this.#failIfReported("listTasks");
    this.lastQuery = query;
    return { tasks: [...this.tasks.values()].slice(0, query.limit), cursor: null };
  }

  async readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<readonly LogChunk[]> {
    const found: LogChunk[] = [];
    let bytes = 0;
    for (const chunk of this.logs) {
      if (chunk.task !== task || chunk.attempt !== attempt || chunk.offset < fromOffset) continue;
      if (bytes >= maxBytes) break;
      found.push(chunk);
      bytes += chunk.bytes.length;
    }
    return found;
  }

  onLogs(_task: TaskId, _attempt: number, listener: () => void): () => void {
    this.logListeners.add(listener);
    return () => this.logListeners.delete(listener);
  }

  async changes(
    afterSeq: number | null,
    listener: (batch: ChangeBatch) => unknown,
    onGap: () => void = () => {},
  ): Promise<Subscription> {
    if (afterSeq !== null && afterSeq < this.compactedSeq) {
      throw new OutlastError("not-found", "The journal begins later.");
    }
    for (const batch of this.batches) {
      if (afterSeq !== null && batch.seq > afterSeq) await listener(batch);
    }
    this.listeners.add(listener);
    this.gapListeners.add(onGap);
    return {
      close: () => {
        this.listeners.delete(listener);
        this.gapListeners.delete(onGap);
      },
    };
  }

  onLeaderBeat(listener: (beat: LeaderBeat) => void): () => void {
    this.beatListeners.add(listener);
    return () => this.beatListeners.delete(listener);
  }

  onProgress(listener: (change: ProgressChange) => void): () => void {
    this.progressListeners.add(listener);
    return () => this.progressListeners.delete(listener);
  }

  async attach(worker: WorkerId, request: AttachRequest, host: string): Promise<AttachAnswer> {
    this.#note("attach", worker, request, host);
    const { epoch, incarnation } = this.state;
    return { session: "3.1" as SessionId, epoch, incarnation, abort: [], verdicts: [], heartbeatMs: 1000 };
  }

  openStream(worker: WorkerId, session: SessionId, sink: StreamSink): () => void {
    this.#note("openStream", worker, session);
    this.sinks.set(session, sink);
    return () => this.closedSessions.push(session);
  }

  async report(worker: WorkerId, request: ReportRequest): Promise<ReportAnswer> {
    this.#note("report", worker, request);
    const results = request.items.filter((item) => item.kind === "result");
    return {
      epoch: this.state.epoch,
      verdicts: results.map(({ task, attempt }) => ({ task, attempt, verdict: "committed" })),
    };
  }

  async storeLogs(worker: WorkerId, session: SessionId, chunks: readonly LogChunk[]): Promise<void> {
    this.#note("storeLogs", worker, session, chunks);
    this.addLogs(...chunks);
  }

  async reportExit(worker: WorkerId, boot: BootId): Promise<void> {
    this.#note("reportExit", worker, boot);
  }

  /** Commits an entry, as far as subscribers can tell. */
  publish(...writes: Write[]): ChangeBatch {
    const seq = this.state.seq + 1;
    this.state = { ...this.state, seq };
    const batch = { seq, epoch: this.state.epoch, at: 1000 + seq, writes };
    this.batches.push(batch);
    for (const listener of this.listeners) listener(batch);
    return batch;
  }

  /** Has committed something that was told to nobody, as a master that has read its memory anew. */
  passOver(): void {
    this.state = { ...this.state, seq: this.state.seq + 1 };
    for (const onGap of this.gapListeners) onGap();
  }

  /** Changes a task's status and tells it. */
  change(id: TaskId, change: Partial<Omit<TaskStatus, "id">>): void {
    const document = this.tasks.get(id);
    if (document === undefined) throw new Error(`There is no task ${id}.`);
    const changed: TaskDocument = { ...document, ...change };
    this.tasks.set(id, changed);
    const { state, attempt, failures, kills, changedAt } = changed;
    this.publish({ kind: "status", status: { state, attempt, failures, kills, changedAt, ...change, id } });
  }

  addLogs(...chunks: readonly LogChunk[]): void {
    this.logs.push(...chunks);
    for (const listener of this.logListeners) listener();
  }

  #note(name: string, ...given: unknown[]): void {
    this.#failIfReported(name);
    this.calls.push({ name, with: given });
  }

  #failIfReported(name: string): void {
    const failure = this.failures.get(name);
    if (failure !== undefined) throw failure;
  }
}
