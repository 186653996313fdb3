/** Workers come, speak and go. What a worker says it has decides what it keeps, what it must kill and what it is sent again. */
import { issueKey, type SessionId, type WorkerId } from "../../model/ids.ts";
import type { Actor } from "../../model/principals/principal.ts";
import {
  type Acknowledgement,
  type AttachRequest,
  type AttemptItem,
  type IssuedAttempt,
  type ItemAnswer,
  type ReportItem,
  type ResultItem,
  runStopped,
  type UnwantedAttempt,
  unsupportedKind,
  type Verdict,
  type WaitingResult,
} from "../../model/protocol.ts";
import { takeContent } from "./attemptItems.ts";
import { loseAttempt, settleResult, toAssigned } from "./attempts.ts";
import type { Batch, Reply } from "./effects.ts";
import { leaveWorkerFor, noteClosing, noteLife, noteNewBoot, noteOpening, watchOpening } from "./failureDetector.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { LiveTask } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import { noteLateResult, noteProcessEnds } from "./processEnds.ts";
import { createStop, endHoldsOf } from "./runStops.ts";
import { refuse, type SchedulerState } from "./state.ts";

/** A worker asks for a session: for the first time, after a lost connection, or as a new boot. */
export function attach(
  state: SchedulerState,
  batch: Batch,
  id: WorkerId,
  request: AttachRequest,
  host: string,
  by?: Actor,
): Reply {
  const known = state.workers.get(id);
  if (known !== undefined && known.boot !== request.boot && known.isOpen && known.state === "connected") {
    const message = `Worker ${id} is connected already, as process ${known.record.pid} on ${known.record.hostname}.`;
    return refuse("worker-exists", message);
  }
  if (known === undefined && !state.workers.makeRoom(batch)) {
    return refuse("too-many", "There are as many workers as there may be.", "workersMax");
  }

  const inOutbox = new Set(request.outbox.map(issueKey));
  const hasLostStream = known?.boot === request.boot && known.isOpen;
  if (known !== undefined) {
    replaceSession(batch, known);
    if (known.boot !== request.boot) endBoot(state, batch, known, inOutbox);
  }
  const worker = recordWorker(state, batch, id, request, host, known);
  worker.isRelayed = request.relay === true;
  worker.trouble = request.trouble ?? null;
  worker.opened = by === undefined ? null : { by: by.name, at: batch.now };
  state.sessions += 1;
  worker.session = `${state.epoch}.${state.sessions}` as SessionId;

  worker.clearDying();
  const unwanted = adoptRunning(state, batch, worker, request, inOutbox);
  // What a boot runs that was never seen here may be tasks of another store, which go on there.
  const abort = known?.boot === request.boot ? unwanted : unwanted.map(({ reason: _r, ...attempt }) => attempt);
  // These have ended, and are not told again: their verdicts go out with the answer.
  for (const ref of request.outbox) {
    // Whether a job was left running is not told again, either.
    for (const stop of state.holds.end(batch, id, ref)) createStop(state, batch, stop);
  }
  watchOpening(state, batch, worker, hasLostStream);
  const settled = settledOf(state, worker, request.outbox);
  noteProcessEnds(state, batch, id, settled);
  const verdicts = settled.map(({ task, attempt }): Verdict => ({ task, attempt, verdict: "stale" }));
  return { kind: "attached", session: worker.session, abort, verdicts };
}

/** Only the newest session of a worker counts; an older stream may still hang in some proxy. */
function replaceSession(batch: Batch, worker: LiveWorker): void {
  if (worker.isOpen && worker.session !== null) {
    const reason = "a newer session has taken its place";
    batch.out.effects.push({ kind: "close-session", worker: worker.id, session: worker.session, reason });
  }
  worker.isOpen = false;
  worker.session = null;
}

/** The worker is back as a new process: what the old one ran is void, unless its result is already on the worker's disk. */
function endBoot(state: SchedulerState, batch: Batch, worker: LiveWorker, inOutbox: ReadonlySet<string>): void {
  noteNewBoot(state, worker);
  if (!worker.isGivenUp) state.workers.countLoss(worker);
  for (const task of [...worker.tasks.values()]) {
    if (isIn(inOutbox, task)) continue;
    loseAttempt(state, batch, task, "Its worker was started anew.");
  }
  // The slots of the old boot went with it; results that wait in its outbox need none.
  worker.clearSlots();
  endHoldsOf(state, batch, worker.id);
}

function recordWorker(
  state: SchedulerState,
  batch: Batch,
  id: WorkerId,
  request: AttachRequest,
  host: string,
  known: LiveWorker | undefined,
): LiveWorker {
  const { boot, capacity, queues, kinds, labels, probePort, hostname, pid, version } = request;
  const before = known?.boot === boot ? known.record : undefined;
  const isDraining = request.isDraining || before?.isDraining === true;
  // What has come over a standby, or from a caller who has hung up, does not say where the worker is; but it is where it was.
  const probe = probePort === null || host === "" ? before?.probe : { host, port: probePort };
  const record = {
    id,
    boot,
    capacity,
    queues,
    ...(kinds !== undefined && { kinds }),
    ...(labels !== undefined && labels.length > 0 && { labels }),
    ...(known?.record.losses !== undefined && { losses: known.record.losses }),
    isDraining,
    state: "connected",
    changedAt: batch.now,
    hostname,
    pid,
    version,
    ...(probe === undefined ? {} : { probe }),
  } as const;
  const isUnchanged =
    known !== undefined &&
    before?.state === "connected" &&
    before.capacity === capacity &&
    before.isDraining === isDraining &&
    before.queues.join() === queues.join() &&
    before.kinds?.join() === kinds?.join() &&
    (before.labels ?? []).join() === (labels ?? []).join() &&
    before.probe?.host === probe?.host &&
    before.probe?.port === probe?.port;
  return isUnchanged ? known : state.workers.write(batch, record);
}

/** Sorts what the worker runs from what it should run. @returns the attempts that it must end */
function adoptRunning(
  state: SchedulerState,
  batch: Batch,
  worker: LiveWorker,
  request: AttachRequest,
  inOutbox: ReadonlySet<string>,
): UnwantedAttempt[] {
  const abort: UnwantedAttempt[] = [];
  const running = new Set<string>();
  for (const held of request.running) {
    const { task: id, attempt, assignedAt, startedAt } = held;
    const task = currentAttempt(state, worker, held);
    if (task === undefined || task.run?.boot !== worker.boot) {
      worker.addDying(held);
      const isOver = state.tasks.get(id) === undefined;
      abort.push({ task: id, attempt, assignedAt, ...(isOver && { reason: "cancelled" as const }) });
      continue;
    }
    running.add(id);
    noteStart(state, task, startedAt);
  }
  // Assigned, but neither running nor finished there: the assignment never arrived. Being the same boot, it may still take it.
  worker.redeliver = [];
  for (const task of [...worker.tasks.values()]) {
    if (running.has(task.id) || isIn(inOutbox, task)) continue;
    if (task.run?.boot === worker.boot) worker.redeliver.push(task);
    else loseAttempt(state, batch, task, "Its worker was started anew.");
  }
  return abort;
}

/** Results that need not be sent: their attempts have been settled. */
function settledOf(state: SchedulerState, worker: LiveWorker, outbox: readonly WaitingResult[]): WaitingResult[] {
  return outbox.filter((ref) => currentAttempt(state, worker, ref) === undefined);
}

/** The task, if this attempt is its current one and belongs to this worker; not if it is that of an earlier task with this id. */
function currentAttempt(state: SchedulerState, worker: LiveWorker, issued: IssuedAttempt): LiveTask | undefined {
  const task = worker.tasks.get(issued.task);
  if (task === undefined || state.tasks.get(task.id) !== task) return undefined;
  return task.attempt === issued.attempt && task.run?.assignedAt === issued.assignedAt ? task : undefined;
}

function isIn(issued: ReadonlySet<string>, task: LiveTask): boolean {
  return issued.has(issueKey(task.issued));
}

function noteStart(state: SchedulerState, task: LiveTask, startedAt: number): void {
  if (task.run === null || task.run.startedAt !== undefined) return;
  task.run = { ...task.run, startedAt };
  state.tasks.touch(task);
}

/** The session's stream is open: the worker can be told things from now on. */
export function openStream(state: SchedulerState, batch: Batch, id: WorkerId, session: SessionId): void {
  const worker = state.workers.get(id);
  if (worker === undefined || worker.session !== session || worker.isGivenUp) {
    const reason = "this session is over";
    batch.out.effects.push({ kind: "close-session", worker: id, session, reason });
    return;
  }
  noteOpening(state, batch, worker);
  if (worker.record.isDraining) batch.out.effects.push({ kind: "drain", worker: id, session });
  const attempts = worker.redeliver
    .filter((task) => worker.tasks.get(task.id) === task && task.run?.boot === worker.boot)
    .map((task) => toAssigned(state, task));
  worker.redeliver = [];
  for (const { reason, ...attempt } of worker.dying) {
    batch.out.effects.push({ kind: "abort", worker: id, session, reason, attempts: [attempt] });
  }
  askAboutHolds(state, batch, worker, session);
  if (attempts.length > 0) batch.out.effects.push({ kind: "assign", worker: id, session, attempts });
}

/**
 * That it does not name an attempt when it attaches proves nothing: the request may be older than the attempt. It is told to end it
 * once more, and reports its end, also of one that it was never given.
 */
function askAboutHolds(state: SchedulerState, batch: Batch, worker: LiveWorker, session: SessionId): void {
  const attempts = [...state.holds.of(worker)].filter((attempt) => !worker.mayHold(attempt));
  if (attempts.length > 0)
    batch.out.effects.push({ kind: "abort", worker: worker.id, session, reason: "killed", attempts });
}

export function closeStream(state: SchedulerState, batch: Batch, id: WorkerId, session: SessionId): void {
  const worker = state.workers.get(id);
  if (worker === undefined || worker.session !== session || !worker.isOpen) return;
  worker.isOpen = false;
  noteClosing(state, batch, worker);
}

export function beat(state: SchedulerState, batch: Batch, id: WorkerId, session: SessionId): void {
  const worker = state.workers.get(id);
  if (worker?.session === session) noteLife(state, batch, worker);
}

export function report(state: SchedulerState, batch: Batch, input: Extract<SchedulerInput, { kind: "report" }>): Reply {
  const worker = state.workers.get(input.worker);
  if (worker === undefined || worker.session !== input.session || worker.isGivenUp) {
    return refuse("stale-session", `Session ${input.session} of worker ${input.worker} is over; attach again.`);
  }
  noteLife(state, batch, worker);
  const verdicts: Verdict[] = [];
  const acks: Acknowledgement[] = [];
  for (const item of input.items) takeItem(state, batch, worker, item, { verdicts, acks });
  return { kind: "reported", verdicts, acks };
}

function takeItem(
  state: SchedulerState,
  batch: Batch,
  worker: LiveWorker,
  item: ReportItem,
  { verdicts, acks }: { readonly verdicts: Verdict[]; readonly acks: Acknowledgement[] },
): void {
  switch (item.kind) {
    case "started": {
      const task = currentAttempt(state, worker, item);
      if (task !== undefined && task.run?.boot === worker.boot) noteStart(state, task, item.startedAt);
      return;
    }
    case "result": {
      const verdict = takeResult(state, batch, worker, item);
      if (item.id === undefined) verdicts.push({ task: item.task, attempt: item.attempt, verdict });
      else acks.push({ id: item.id, verdict });
      return;
    }
    case "progress":
    case "step":
    case "submit":
    case "artifacts":
    case "children": {
      const answer = takeAttemptItem(state, batch, worker, item);
      if (item.id !== undefined) acks.push({ id: item.id, ...answer });
      return;
    }
    case "trouble":
      worker.trouble = item.text;
      return;
    case "draining":
      return setDraining(state, batch, worker);
    case "bye":
      return leaveWorkerFor(state, batch, worker, "it said goodbye");
    default:
      item satisfies never;
  }
}

/** What an attempt says while it runs. Nothing that it says counts once it is over. */
function takeAttemptItem(state: SchedulerState, batch: Batch, worker: LiveWorker, item: AttemptItem): ItemAnswer {
  const task = currentAttempt(state, worker, item);
  if (task === undefined || task.run?.boot !== worker.boot) return { verdict: "stale" };
  return takeContent(state, batch, task, item);
}

function takeResult(state: SchedulerState, batch: Batch, worker: LiveWorker, result: ResultItem): Verdict["verdict"] {
  const task = currentAttempt(state, worker, result);
  if (task === undefined || task.run?.boot !== result.boot) {
    if (result.boot === worker.boot) {
      worker.endDying(result);
      const stops = state.holds.end(batch, worker.id, result);
      const hasRunEnded = result.outcome === "success" || result.error?.code === runStopped;
      if (!hasRunEnded) for (const stop of stops) createStop(state, batch, stop);
    }
    noteLateResult(state, batch, worker.id, result);
    return "stale";
  }
  // Of a failure the code is the task's own word.
  if (result.outcome === "aborted" && result.error?.code === unsupportedKind) {
    // It is not given this kind again until it attaches anew.
    const kinds = [...worker.offer.kinds].filter((kind) => kind !== task.lane.kind);
    state.workers.write(batch, { ...worker.record, kinds, changedAt: batch.now });
  }
  settleResult(state, batch, task, result);
  return "committed";
}

/** An operator wants this worker emptied. */
export function drainWorker(state: SchedulerState, batch: Batch, id: WorkerId): Reply {
  const worker = state.workers.get(id);
  if (worker === undefined || worker.isGivenUp) return refuse("not-found", `There is no worker ${id} at work.`);
  setDraining(state, batch, worker);
  if (worker.isOpen && worker.session !== null) {
    batch.out.effects.push({ kind: "drain", worker: id, session: worker.session });
  }
  return { kind: "done" };
}

function setDraining(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  if (worker.record.isDraining) return;
  state.workers.write(batch, { ...worker.record, isDraining: true, changedAt: batch.now });
}
