/** A master as one principal may see it: what lies outside of its queues is not there, and every change carries its name. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { ChildrenPage, ChildrenRequest, PendingSignal, StepsPage, StepsRequest } from "../../model/family.ts";
import type { GraphView } from "../../model/graphs/graphView.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { LeaderBeat } from "../../model/lease.ts";
import type { MemberView } from "../../model/member.ts";
import { type Actor, coversQueue } from "../../model/principals/principal.ts";
import type { AttachAnswer, AttachRequest, LogChunk, ReportAnswer, ReportRequest } from "../../model/protocol.ts";
import type { Submission } from "../../model/submission.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { QueueSettings, QueueView, WorkerView } from "../../model/worker.ts";
import type { TaskPage, TaskQuery } from "../../ports/store.ts";
import type { StreamSink } from "../../ports/transport.ts";
import type { MasterObserver } from "../journal/loopStats.ts";
import type { Subscription } from "../streams/changes.ts";
import type { ProgressChange } from "../streams/progressBoard.ts";
import type { BlobApi } from "./blobApi.ts";
import type { BulkApi } from "./bulkApi.ts";
import type { ChangeBatch, MasterApi, MasterStats, MasterStatus } from "./masterApi.ts";
import type { PrincipalApi } from "./principalApi.ts";
import type { RetryOptions } from "./retryService.ts";
import type { ScheduleApi } from "./scheduleApi.ts";
import type { TaskViewApi } from "./taskViewApi.ts";
import type { TemplateApi } from "./templateApi.ts";
import { followVisible, isSeen } from "./visibleChanges.ts";
import { visibleGraph } from "./visibleGraph.ts";
import { visibleViews } from "./visibleViews.ts";
import type { WebhookApi } from "./webhookApi.ts";

export class ScopedMaster implements MasterApi {
  readonly #master: MasterApi;
  readonly #by: Actor;
  readonly templates: TemplateApi;
  readonly schedules: ScheduleApi;
  readonly principals: PrincipalApi;
  readonly blobs: BlobApi;
  readonly views: TaskViewApi;
  readonly bulk: BulkApi;
  readonly webhooks: WebhookApi;

  constructor(master: MasterApi, by: Actor) {
    this.#master = master;
    this.#by = by;
    this.templates = scopedTemplates(master.templates, by);
    this.schedules = scopedSchedules(master.schedules, by);
    this.webhooks = scopedWebhooks(master.webhooks, by);
    this.principals = master.principals;
    this.blobs = master.blobs;
    this.bulk = { run: (action, request) => master.bulk.run(action, request, by) };
    this.views = visibleViews(master, by.queues, (task) => this.#visibleTask(task));
  }

  status(): MasterStatus {
    return this.#master.status();
  }

  stats(): MasterStats {
    return this.#master.stats(this.#by);
  }

  observe(observer: MasterObserver): void {
    this.#master.observe(observer);
  }

  submit(
    submissions: readonly Submission[],
    key: string | null,
    _by?: Actor,
    traceparent?: string,
  ): Promise<readonly SubmittedTask[]> {
    return this.#master.submit(submissions, key, this.#by, traceparent);
  }

  cancel(id: TaskId): Promise<void> {
    return this.#master.cancel(id, this.#by);
  }

  retry(id: TaskId, options: RetryOptions): Promise<number> {
    return this.#master.retry(id, options, this.#by);
  }

  signal(task: TaskId, signal: PendingSignal): Promise<void> {
    return this.#master.signal(task, signal, this.#by);
  }

  setQueue(name: string, settings: QueueSettings): Promise<void> {
    return this.#master.setQueue(name, settings, this.#by);
  }

  drainWorker(id: WorkerId): Promise<void> {
    return this.#master.drainWorker(id, this.#by);
  }

  reportExit(worker: WorkerId, boot: BootId): Promise<void> {
    return this.#master.reportExit(worker, boot, this.#by);
  }

  async workers(): Promise<readonly WorkerView[]> {
    const workers = await this.#master.workers();
    return this.#isBound ? workers.flatMap((worker) => this.#visibleWorker(worker)) : workers;
  }

  members(): readonly MemberView[] {
    return this.#master.members();
  }

  async queues(): Promise<readonly QueueView[]> {
    return (await this.#master.queues()).filter(({ name }) => this.#sees(name));
  }

  barrier(): Promise<number> {
    return this.#master.barrier();
  }

  queueOf(id: TaskId): string | null | Promise<string | null> {
    return this.#master.queueOf(id);
  }

  async readTask(id: TaskId): Promise<TaskDocument | null> {
    const task = await this.#master.readTask(id);
    return task === null || !this.#sees(task.queue) ? null : this.#visibleTask(task);
  }

  async listTasks(query: TaskQuery): Promise<TaskPage> {
    const { queues } = this.#by;
    const page = await this.#master.listTasks(queues === undefined ? query : { ...query, queues });
    return { ...page, tasks: page.tasks.map((task) => this.#visibleTask(task)) };
  }

  async readGraph(task: TaskId, cursor: number, limit: number): Promise<GraphView | null> {
    if (!this.#isBound) return this.#master.readGraph(task, cursor, limit);
    const isVisible = async (id: TaskId): Promise<boolean> => isSeen(this.#by.queues, await this.#master.queueOf(id));
    const graph = (await isVisible(task)) ? await this.#master.readGraph(task, cursor, limit) : null;
    return graph === null ? null : visibleGraph(graph, isVisible);
  }

  async readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<readonly LogChunk[]> {
    if (this.#isBound && !isSeen(this.#by.queues, await this.#master.queueOf(task))) return [];
    return this.#master.readLogs(task, attempt, fromOffset, maxBytes);
  }

  onLogs(task: TaskId, attempt: number, listener: () => void): () => void {
    return this.#master.onLogs(task, attempt, listener);
  }

  changes(
    afterSeq: number | null,
    listener: (batch: ChangeBatch) => unknown,
    onGap?: () => void,
  ): Promise<Subscription> {
    const { name, queues } = this.#by;
    if (queues === undefined) return this.#master.changes(afterSeq, listener, onGap);
    return followVisible(this.#master, { name, queues }, afterSeq, listener, onGap);
  }

  onLeaderBeat(listener: (beat: LeaderBeat) => void): () => void {
    return this.#master.onLeaderBeat(listener);
  }

  onProgress(listener: (change: ProgressChange) => void): () => void {
    const { queues } = this.#by;
    if (queues === undefined) return this.#master.onProgress(listener);
    return this.#master.onProgress((change) => {
      // A running task is in memory, so nothing has to be waited for.
      const queue = this.#master.queueOf(change.id);
      if (typeof queue === "string" && isSeen(queues, queue)) listener(change);
    });
  }

  attach(worker: WorkerId, request: AttachRequest, host: string): Promise<AttachAnswer> {
    return this.#master.attach(worker, request, host, this.#by);
  }

  openStream(worker: WorkerId, session: SessionId, sink: StreamSink): () => void {
    return this.#master.openStream(worker, session, sink, this.#by);
  }

  report(worker: WorkerId, request: ReportRequest): Promise<ReportAnswer> {
    return this.#master.report(worker, request, this.#by);
  }

  storeLogs(worker: WorkerId, session: SessionId, chunks: readonly LogChunk[]): Promise<void> {
    return this.#master.storeLogs(worker, session, chunks, this.#by);
  }

  readSteps(worker: WorkerId, request: StepsRequest): Promise<StepsPage> {
    return this.#master.readSteps(worker, request, this.#by);
  }

  readChildren(worker: WorkerId, request: ChildrenRequest): Promise<ChildrenPage> {
    return this.#master.readChildren(worker, request, this.#by);
  }

  get #isBound(): boolean {
    return this.#by.queues !== undefined;
  }

  #sees(queue: string): boolean {
    return coversQueue(this.#by.queues, queue);
  }

  /** Which queues its owner may reach concerns nobody who may not reach them. */
  #visibleTask(task: TaskDocument): TaskDocument {
    if (!this.#isBound || task.rights?.queues === undefined) return task;
    return { ...task, rights: { owner: task.rights.owner } };
  }

  #visibleWorker(worker: WorkerView): readonly WorkerView[] {
    const queues = worker.queues.filter((queue) => this.#sees(queue));
    if (queues.length === 0) return [];
    // It may be of tasks in other queues.
    const { dying: _dying, ...rest } = worker;
    return [{ ...rest, queues, ...(queues.length < worker.queues.length && { servesOthers: true as const }) }];
  }
}

function scopedTemplates(templates: TemplateApi, by: Actor): TemplateApi {
  return {
    put: (name, content) => templates.put(name, content, by),
    remove: (name) => templates.remove(name, by),
    list: (after, limit) => templates.list(after, limit, by),
    read: (name, version) => templates.read(name, version, by),
    versions: (name, after, limit) => templates.versions(name, after, limit, by),
    run: (name, wish, key, _by, traceparent) => templates.run(name, wish, key, by, traceparent),
  };
}

function scopedWebhooks(webhooks: WebhookApi, by: Actor): WebhookApi {
  return {
    put: (name, content) => webhooks.put(name, content, by),
    remove: (name) => webhooks.remove(name, by),
    list: () => webhooks.list(by),
    read: (name) => webhooks.read(name, by),
    test: (name) => webhooks.test(name, by),
    deliveries: (name, query) => webhooks.deliveries(name, query, by),
  };
}

function scopedSchedules(schedules: ScheduleApi, by: Actor): ScheduleApi {
  return {
    put: (name, content) => schedules.put(name, content, by),
    remove: (name) => schedules.remove(name, by),
    setPaused: (name, isPaused) => schedules.setPaused(name, isPaused, by),
    list: (after, limit) => schedules.list(after, limit, by),
    read: (name) => schedules.read(name, by),
    trigger: (name, key) => schedules.trigger(name, key, by),
    backfill: (name, wanted) => schedules.backfill(name, wanted, by),
    preview: (content, preview) => schedules.preview(content, preview, by),
  };
}
