/**
 * Who is given up, and on what evidence (docs/reliability.md, 2). Evidence comes in classes, each with its own patience: proof of
 * death needs none, an abrupt close a moment, silence more, and a leader that was just elected knows nothing yet.
 * A wrong verdict costs work, never correctness: a killed attempt's late result is stale.
 */
import type { WorkerId } from "../../model/ids.ts";
import { killAttempt } from "./attempts.ts";
import type { Board } from "./board.ts";
import type { Batch } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { LiveWorker } from "./liveWorker.ts";

/** It has just been heard of: its silence starts anew. */
export function noteLife(board: Board, batch: Batch, worker: LiveWorker): void {
  worker.heardAt = batch.now;
  worker.silentSince = batch.now;
  if (!worker.isOpen || worker.state === "connected") return;
  worker.state = "connected";
  board.workers.wakeAt(worker, batch.now + board.settings.suspectMs);
  board.workers.updateFree(worker);
}

/** It has a session and is about to open its stream. */
export function watchOpening(board: Board, batch: Batch, worker: LiveWorker): void {
  worker.heardAt = batch.now;
  suspect(board, batch, worker, board.settings.lostGraceMs);
}

/** Its stream has closed without a goodbye. */
export function noteClosing(board: Board, batch: Batch, worker: LiveWorker): void {
  const { settings } = board;
  suspect(board, batch, worker, worker.isRelayed ? settings.relayedGraceMs : settings.abruptGraceMs);
  if (worker.isProbeTrusted) knockAt(batch, worker);
  let connected = 0;
  for (const other of board.workers) if (other.isOpen) connected += 1;
  const vanished = board.massLoss.note(worker.id, batch.now, connected, {
    windowMs: settings.massLossWindowMs,
    share: settings.massLossShare,
    min: settings.massLossMin,
  });
  if (vanished.length === 0) return;
  for (const id of vanished) {
    const other = board.workers.get(id as WorkerId);
    if (other !== undefined && !other.isOpen && !other.isGivenUp) suspect(board, batch, other, settings.lostGraceMs);
  }
  batch.out.effects.push({
    kind: "alarm",
    message: "many workers vanished at once; it may be the network, so none is given up yet",
    fields: { vanished: vanished.length, graceMs: settings.lostGraceMs },
  });
}

/** A new leader has heard of nobody: every worker gets time to find it, unless it has died as well. */
export function watchAfterElection(board: Board, batch: Batch): void {
  for (const worker of board.workers) {
    if (worker.isGivenUp) continue;
    suspect(board, batch, worker, board.settings.failoverGraceMs);
    if (worker.isProbeTrusted) knockAt(batch, worker);
  }
}

/** Asks at its probe port whether it is alive, if it has one. */
export function knockAt(batch: Batch, { id, boot, record: { probe } }: LiveWorker): void {
  if (probe !== undefined) batch.out.effects.push({ kind: "probe", worker: id, boot, ...probe });
}

/**
 * A probe has come back. A refusal proves death only to the master that was answered by this boot there before: between another
 * one and the worker something may refuse in its name.
 */
export function noteProbe(
  board: Board,
  batch: Batch,
  { worker: id, boot, result, ...address }: Extract<SchedulerInput, { kind: "probed" }>,
): void {
  const worker = board.workers.get(id);
  if (worker === undefined || !worker.listensAt(boot, address) || worker.isGivenUp) return;
  if (result === "connected") worker.isProbeTrusted = true;
  if (result === "refused" && worker.isProbeTrusted && !worker.isOpen) {
    loseWorker(board, batch, worker, "its port refused a connection");
  }
}

/** Everybody whose patience has run out moves on: from connected to suspect, from suspect to lost. */
export function passTime(board: Board, batch: Batch): void {
  for (let worker = board.workers.popDue(batch.now); worker !== undefined; worker = board.workers.popDue(batch.now)) {
    if (worker.isGivenUp) continue;
    const patienceMs = worker.state === "connected" ? board.settings.suspectMs : worker.graceMs;
    const dueAt = worker.silentSince + patienceMs;
    if (dueAt > batch.now) board.workers.wakeAt(worker, dueAt);
    else if (worker.state === "connected") doubt(board, worker);
    else loseWorker(board, batch, worker, `nothing was heard of it for ${batch.now - worker.silentSince} ms`);
  }
}

/**
 * Time went by in which nobody could be heard: it is no silence. Whoever was turned away meanwhile has waited longer between
 * its tries, at most about as long as it went on; so everybody gets that time, and as much again, to come back.
 */
export function shiftSilence(board: Board, batch: Batch, forMs: number): void {
  const { abruptGraceMs, failoverGraceMs } = board.settings;
  board.patientUntil = Math.max(board.patientUntil, batch.now + Math.min(failoverGraceMs, abruptGraceMs + 2 * forMs));
  for (const worker of board.workers) {
    if (worker.isGivenUp) continue;
    worker.silentSince = Math.min(batch.now, worker.silentSince + forMs);
    if (!worker.isOpen) worker.graceMs = Math.max(worker.graceMs, board.patientUntil - worker.silentSince);
  }
}

/** Everybody was hung up on and is looking for a leader, as after an election: that takes its time, and is nobody's death. */
export function awaitReturn(board: Board, batch: Batch): void {
  board.patientUntil = Math.max(board.patientUntil, batch.now + board.settings.failoverGraceMs);
}

/** It is dead, or as good as dead: what it ran is killed and runs again elsewhere. */
export function loseWorker(board: Board, batch: Batch, worker: LiveWorker, why: string): void {
  endWorker(board, batch, worker, "lost", why);
}

/** It has left on purpose. */
export function leaveWorkerFor(board: Board, batch: Batch, worker: LiveWorker, why: string): void {
  endWorker(board, batch, worker, "gone", why);
}

function endWorker(board: Board, batch: Batch, worker: LiveWorker, state: "lost" | "gone", why: string): void {
  if (worker.isOpen && worker.session !== null) {
    batch.out.effects.push({ kind: "close-session", worker: worker.id, session: worker.session, reason: why });
  }
  worker.isOpen = false;
  worker.session = null;
  worker.state = state;
  board.workers.stopTimer(worker);
  board.workers.write(batch, { ...worker.record, state, changedAt: batch.now });
  for (const task of [...worker.tasks.values()]) {
    killAttempt(board, batch, task, { code: "worker-lost", message: `Worker ${worker.id} was given up: ${why}.` });
  }
  worker.clearDying();
  board.workers.updateFree(worker);
}

/** Still connected, but silent: it keeps what it runs and gets nothing new. */
function doubt(board: Board, worker: LiveWorker): void {
  worker.state = "suspect";
  worker.graceMs = board.settings.lostGraceMs;
  board.workers.wakeAt(worker, worker.silentSince + worker.graceMs);
  board.workers.updateFree(worker);
}

function suspect(board: Board, batch: Batch, worker: LiveWorker, graceMs: number): void {
  worker.state = "suspect";
  worker.silentSince = batch.now;
  worker.graceMs = Math.max(graceMs, board.patientUntil - batch.now);
  board.workers.wakeAt(worker, batch.now + worker.graceMs);
  board.workers.updateFree(worker);
}
