/** Serves the API of a master: turns calls into inputs of the scheduler or reads from the store. */
import type { Reply, SubmittedTask } from "../../core/scheduler/effects.ts";
import type { RequestId, SchedulerInput } from "../../core/scheduler/inputs.ts";
import { OutlastError } from "../../model/errors.ts";
import type { ChildrenPage, ChildrenRequest, PendingSignal, StepsPage, StepsRequest } from "../../model/family.ts";
import type { GraphView } from "../../model/graphs/graphView.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { LeaderBeat } from "../../model/lease.ts";
import { limits } from "../../model/limits.ts";
import type { MemberView } from "../../model/member.ts";
import { type Actor, rightsOf } from "../../model/principals/principal.ts";
import {
  type AttachAnswer,
  type AttachRequest,
  type AttemptRef,
  type LogChunk,
  negotiateProtocol,
  type ReportAnswer,
  type ReportRequest,
} from "../../model/protocol.ts";
import type { Calendar } from "../../model/schedules/schedule.ts";
import type { Submission } from "../../model/submission.ts";
import type { TaskDocument, TaskSpec } from "../../model/task.ts";
import type { QueueSettings, QueueView, WorkerView } from "../../model/worker.ts";
import type { Blobs } from "../../ports/blobs.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log } from "../../ports/log.ts";
import type { Receivers } from "../../ports/receivers.ts";
import { type ForeignTask, type Store, StoreUnavailable, type TaskPage, type TaskQuery } from "../../ports/store.ts";
import type { StreamSink } from "../../ports/transport.ts";
import type { Inbox } from "../journal/inbox.ts";
import type { LoopStats, MasterObserver } from "../journal/loopStats.ts";
import type { ReadBarrier } from "../journal/readBarrier.ts";
import type { Requests } from "../journal/requests.ts";
import { partsOf } from "../journal/weights.ts";
import type { LeaderBeats } from "../leadership/leaderBeats.ts";
import type { Membership } from "../leadership/membership.ts";
import type { MasterState } from "../masterState.ts";
import type { Changes } from "../streams/changes.ts";
import { LogListeners } from "../streams/logListeners.ts";
import type { LogOwners } from "../streams/logOwners.ts";
import type { ProgressBoard, ProgressChange } from "../streams/progressBoard.ts";
import type { Streams } from "../streams/streams.ts";
import { BlobService } from "./blobService.ts";
import { BulkService } from "./bulkService.ts";
import { readChildrenPage, readStepsPage } from "./familyReads.ts";
import { readGraph } from "./graphReads.ts";
import type { ChangeBatch, MasterApi, MasterStats, MasterStatus, Subscription } from "./masterApi.ts";
import { PrincipalService } from "./principalService.ts";
import { checkItems, checkOwner, checkSession, checkSize, noCommonProtocol, restoredHint } from "./refusals.ts";
import { type Answer, expectReply } from "./replies.ts";
import { type RetryOptions, RetryService } from "./retryService.ts";
import { ScheduleService } from "./scheduleService.ts";
import { statsOf } from "./stats.ts";
import { toSpecs } from "./submissions.ts";
import { explainMissing, findQueue, lookUp } from "./taskLookups.ts";
import { TaskReads } from "./taskReads.ts";
import { TaskViewService } from "./taskViewService.ts";
import { type ServiceCalls, TemplateService } from "./templateService.ts";
import { WebhookService } from "./webhookService.ts";

export interface MasterServiceParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly inbox: Inbox;
  readonly requests: Requests;
  readonly streams: Streams;
  readonly changes: Changes;
  readonly progress: ProgressBoard;
  readonly state: MasterState;
  readonly stats: LoopStats;
  readonly membership: Membership;
  readonly readBarrier: ReadBarrier;
  readonly logOwners: LogOwners;
  readonly beats: LeaderBeats;
  readonly heartbeatMs: number;
  readonly calendar: Calendar;
  /** Null for a master without a place for files. */
  readonly blobs: Blobs | null;
  readonly receivers: Receivers;
}

export class MasterService implements MasterApi {
  readonly #parts: MasterServiceParts;
  readonly templates: TemplateService;
  readonly schedules: ScheduleService;
  readonly blobs: BlobService;
  readonly bulk: BulkService;
  readonly principals: PrincipalService;
  readonly views: TaskViewService;
  readonly webhooks: WebhookService;
  readonly #reads: TaskReads;
  readonly #retries: RetryService;
  readonly #logListeners = new LogListeners();

  constructor(parts: MasterServiceParts) {
    this.#parts = parts;
    const { store, clock, ids, state } = parts;
    const calls: ServiceCalls = {
      ...{ store, clock, ids },
      checkLeading: () => state.checkTaking(),
      ask: (question, by) => this.#ask(question, by),
      read: (read) => this.#read(read),
      submit: (specs, by) => this.#submit(() => specs, by),
    };
    this.#retries = new RetryService(calls);
    this.#reads = new TaskReads({ ...parts, read: calls.read });
    this.views = new TaskViewService(calls, this.#reads);
    this.templates = new TemplateService(calls);
    this.blobs = new BlobService(calls, parts.blobs, parts.log);
    this.bulk = new BulkService(calls, this.#retries);
    this.schedules = new ScheduleService(calls, this.templates, parts.calendar);
    this.principals = new PrincipalService(calls, parts);
    this.webhooks = new WebhookService(calls, parts.receivers);
  }

  status(): MasterStatus {
    return this.#parts.state.status();
  }

  stats(by?: Actor): MasterStats {
    return statsOf(this.#parts, by);
  }

  observe(observer: MasterObserver): void {
    this.#parts.stats.observers.push(observer);
  }

  members(): readonly MemberView[] {
    return this.#parts.membership.members();
  }

  submit(
    submissions: readonly Submission[],
    key: string | null,
    by?: Actor,
    traceparent?: string,
  ): Promise<readonly SubmittedTask[]> {
    return this.#submit(() => toSpecs(submissions, key, this.#parts, traceparent), by);
  }

  /** Creates the tasks that somebody put straight into the store, each under the id that it has there. */
  adopt(tasks: readonly ForeignTask[]): Promise<readonly SubmittedTask[]> {
    const submissions = tasks.map(({ id, submission }) => ({ ...submission, id }));
    return this.#submit(() =>
      toSpecs(submissions, null, this.#parts).map((spec) => ({ ...spec, adoptedFrom: "store" })),
    );
  }

  async #submit(make: () => readonly TaskSpec[], by?: Actor): Promise<readonly SubmittedTask[]> {
    this.#parts.state.checkLeading();
    const rights = rightsOf(by);
    const specs = rights === undefined ? make() : make().map((spec) => ({ rights, ...spec }));
    checkSize(specs);
    const named = specs.filter((spec) => spec.fingerprint !== null).map((spec) => spec.id);
    const after = [...new Set(specs.flatMap((spec) => spec.after ?? []))];
    for (let tries = 0; tries < limits.lookupsMax; tries += 1) {
      const reply = await this.#submitOnce(specs, { named, after }, by);
      if (reply.kind === "submitted") return reply.tasks;
    }
    throw new OutlastError("unavailable", "The submitted ids changed while they were looked up; try again.");
  }

  async #submitOnce(
    specs: readonly TaskSpec[],
    { named, after }: { readonly named: readonly TaskId[]; readonly after: readonly TaskId[] },
    by: Actor | undefined,
  ): Promise<Reply> {
    const { store } = this.#parts;
    const lookup = await this.#read(() => lookUp(store, named, after, by, (id) => this.queueOf(id)));
    return this.#ask((request) => ({ kind: "submit", request, specs, lookup }), by);
  }

  async cancel(id: TaskId, by?: Actor): Promise<void> {
    try {
      await this.#ask((request) => ({ kind: "cancel", request, id }), by);
    } catch (error) {
      await explainMissing(id, error, by, (each) => this.readTask(each));
    }
  }

  retry(id: TaskId, options: RetryOptions, by?: Actor): Promise<number> {
    return this.#retries.retry(id, options, by);
  }

  async signal(task: TaskId, signal: PendingSignal, by?: Actor): Promise<void> {
    try {
      await this.#ask((request) => ({ kind: "signal", request, task, signal }), by);
    } catch (error) {
      const isDelivered = ({ family }: TaskDocument) => family?.signalled?.includes(signal.id) === true;
      await explainMissing(task, error, by, (each) => this.readTask(each), isDelivered);
    }
  }

  async readSteps(worker: WorkerId, request: StepsRequest, by?: Actor): Promise<StepsPage> {
    const { session, task, attempt, after } = request;
    checkOwner(this.#parts.streams, worker, session, by);
    const { epoch, family } = await this.#inspectFamily(worker, session, { task, attempt });
    return this.#read(() => readStepsPage(this.#parts.store, { task, epoch, after, family }));
  }

  async readChildren(worker: WorkerId, request: ChildrenRequest, by?: Actor): Promise<ChildrenPage> {
    const { session, task, attempt, key, from } = request;
    checkOwner(this.#parts.streams, worker, session, by);
    const { epoch } = await this.#inspectFamily(worker, session, { task, attempt });
    return this.#read(() => readChildrenPage(this.#parts.store, { task, epoch, key, from }));
  }

  async #inspectFamily(worker: WorkerId, session: SessionId, attempt: AttemptRef): Promise<Answer<"family">> {
    return expectReply(
      await this.#ask((request) => ({ kind: "inspect-family", request, worker, session, attempt })),
      "family",
    );
  }

  async setQueue(name: string, settings: QueueSettings, by?: Actor): Promise<void> {
    await this.#ask((request) => ({ kind: "set-queue", request, name, settings }), by);
  }

  async drainWorker(worker: WorkerId, by?: Actor): Promise<void> {
    await this.#ask((request) => ({ kind: "drain-worker", request, worker }), by);
  }

  async workers(): Promise<readonly WorkerView[]> {
    return expectReply(await this.#ask((request) => ({ kind: "inspect-workers", request })), "workers").workers;
  }

  async queues(): Promise<readonly QueueView[]> {
    return expectReply(await this.#ask((request) => ({ kind: "inspect-queues", request })), "queues").queues;
  }

  async barrier(): Promise<number> {
    const { state, readBarrier } = this.#parts;
    state.checkTaking();
    return readBarrier.prove();
  }

  queueOf(id: TaskId): string | null | Promise<string | null> {
    const { state, store, changes } = this.#parts;
    return findQueue(id, state, changes.queueNotes, (each) => this.#read(() => store.readTask(each)));
  }

  readTask(id: TaskId): Promise<TaskDocument | null> {
    return this.#reads.readTask(id);
  }

  async readGraph(id: TaskId, cursor: number, limit: number): Promise<GraphView | null> {
    const document = await this.readTask(id);
    if (document === null) return null;
    const reply = await this.#ask((request) => ({ kind: "inspect-dependents", request, task: id }));
    const blocked = expectReply(reply, "dependents").tasks;
    const above = document.parent === undefined ? null : await this.readTask(document.parent);
    return this.#read(() => readGraph(this.#parts.store, document, { cursor, limit, above, blocked }));
  }

  listTasks(query: TaskQuery): Promise<TaskPage> {
    return this.#reads.listTasks(query);
  }

  onLeaderBeat(listener: (beat: LeaderBeat) => void): () => void {
    return this.#parts.beats.listen(listener);
  }

  onProgress(listener: (change: ProgressChange) => void): () => void {
    return this.#parts.progress.listen(listener);
  }

  readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<readonly LogChunk[]> {
    return this.#read(() => this.#parts.store.readLogs(task, attempt, fromOffset, maxBytes));
  }

  onLogs(task: TaskId, attempt: number, listener: () => void): () => void {
    return this.#logListeners.listen(task, attempt, listener);
  }

  changes(
    afterSeq: number | null,
    listener: (batch: ChangeBatch) => unknown,
    onGap?: () => void,
  ): Promise<Subscription> {
    return this.#read(() => this.#parts.changes.subscribe(afterSeq, listener, onGap));
  }

  async attach(worker: WorkerId, request: AttachRequest, host: string, by?: Actor): Promise<AttachAnswer> {
    this.#parts.state.checkLeading();
    const protocol = negotiateProtocol(request);
    if (protocol === null) throw noCommonProtocol(request);
    const { incarnation } = this.#parts.state.identity;
    if (request.incarnation === incarnation) this.#checkEpoch(request.epochMax);
    const reply = await this.#ask((id) => ({ kind: "attach", request: id, worker, attach: request, host }), by);
    const { session, abort, verdicts } = expectReply(reply, "attached");
    this.#parts.streams.expect(worker, session, by?.name);
    const { epoch } = this.#parts.state;
    return { session, protocol, epoch, incarnation, abort, verdicts, heartbeatMs: this.#parts.heartbeatMs };
  }

  openStream(worker: WorkerId, session: SessionId, sink: StreamSink, by?: Actor): () => void {
    const { inbox, streams } = this.#parts;
    // A session that is closed or unknown must not replace the current one.
    const isOwn = streams.isKnown(worker, session) && streams.isOwner(worker, by?.name);
    if (this.#parts.state.role !== "leader" || !isOwn) {
      sink.close();
      return () => undefined;
    }
    streams.open(worker, session, sink);
    inbox.push({ kind: "opened", worker, session });
    return () => {
      if (streams.forget(worker, sink) && this.#parts.state.role === "leader")
        inbox.push({ kind: "closed", worker, session });
    };
  }

  async report(worker: WorkerId, { session, epoch, items }: ReportRequest, by?: Actor): Promise<ReportAnswer> {
    this.#parts.state.checkLeading();
    checkOwner(this.#parts.streams, worker, session, by);
    this.#checkEpoch(epoch);
    checkItems(items);
    if (items.length > 0) {
      const answers = [];
      for (const part of partsOf(items)) {
        const reply = await this.#ask((request) => ({ kind: "report", request, worker, session, items: part }));
        answers.push(expectReply(reply, "reported"));
      }
      const verdicts = answers.flatMap((answer) => answer.verdicts);
      return { epoch: this.#parts.state.epoch, verdicts, acks: answers.flatMap((answer) => answer.acks) };
    }
    checkSession(this.#parts.streams, worker, session);
    // While commits hang, silence does not count, so heartbeats are not queued.
    if (!this.#parts.state.isTurningAway) this.#parts.inbox.push({ kind: "beat", worker, session });
    return { epoch: this.#parts.state.epoch, verdicts: [], acks: [] };
  }

  async storeLogs(worker: WorkerId, session: SessionId, chunks: readonly LogChunk[], by?: Actor): Promise<void> {
    this.#parts.state.checkLeading();
    checkSession(this.#parts.streams, worker, session);
    checkOwner(this.#parts.streams, worker, session, by);
    const own = await this.#read(() => this.#parts.logOwners.ownPieces(worker, chunks));
    if (own.length < chunks.length) {
      this.#parts.log.warn("dropped output that a worker sent for attempts that are not its own", {
        worker,
        pieces: chunks.length - own.length,
      });
    }
    if (own.length === 0) return;
    await this.#read(() => this.#parts.store.appendLogs(own));
    this.#logListeners.tell(own);
  }

  async reportExit(worker: WorkerId, boot: BootId, by?: Actor): Promise<void> {
    await this.#ask((request) => ({ kind: "report-exit", request, worker, boot }), by);
  }

  /** A worker has seen a higher epoch of this store: this master was deposed, or the store has lost committed entries. */
  #checkEpoch(epochSeen: number): void {
    const { state, log, readBarrier } = this.#parts;
    const { epoch } = state;
    if (epochSeen <= epoch) return;
    log.error("a worker has seen a higher epoch than this master", { epoch, epochSeen });
    // The next commit shows which of the two it is. The answer is the same in both cases.
    readBarrier.prove().then(
      () =>
        log.error("this master still leads, so the store is older than it was", {
          epoch,
          epochSeen,
          hint: restoredHint,
        }),
      () => undefined,
    );
    throw new OutlastError(
      "stale-epoch",
      `This master leads epoch ${epoch}, but the worker has seen epoch ${epochSeen}.`,
      { epochMax: epochSeen, hint: restoredHint },
    );
  }

  /** Sends an input to the scheduler; resolves when its answer is committed. */
  #ask(question: (request: RequestId) => SchedulerInput, by?: Actor): Promise<Reply> {
    const { state, requests, inbox } = this.#parts;
    state.checkTaking();
    return requests.ask((request) => inbox.push(by === undefined ? question(request) : { ...question(request), by }));
  }

  async #read<Result>(read: () => Promise<Result>): Promise<Result> {
    // The API listens before the store is open and until after it is closed.
    const { state } = this.#parts;
    state.checkServing();
    try {
      return await read();
    } catch (error) {
      state.checkServing();
      if (!(error instanceof StoreUnavailable)) throw error;
      throw new OutlastError("unavailable", "The store cannot be read at the moment.", { reason: error.reason });
    }
  }
}
