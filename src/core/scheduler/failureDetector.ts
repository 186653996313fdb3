/**
 * Who is given up, and on what evidence (docs/reliability.md, 2). Evidence comes in classes, each with its own patience: proof of
 * death needs none, an abrupt close a moment, silence more, and a leader that was just elected knows nothing yet.
 * A wrong verdict costs work, never correctness: a killed attempt's late result is stale.
 */
import type { WorkerId } from "../../model/ids.ts";
import { killAttempt } from "./attempts.ts";
import type { Batch } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { SchedulerModule } from "./module.ts";
import type { SchedulerState } from "./state.ts";

export const failureDetector = {
  inputs: {
    probed: (state, batch, input) => noteProbe(state, batch, input),
    "clock-gap": (state, batch, { forMs }) => {
      shiftSilence(state, batch, forMs);
      for (const worker of state.workers) {
        for (const task of worker.tasks.values()) state.tasks.postpone(task, forMs);
      }
    },
    "let-go": (state, batch) => awaitReturn(state, batch),
  },
  activate: (state, batch) => watchAfterElection(state, batch),
  step: (state, batch) => passTime(state, batch),
  nextWakeAt: ({ workers }) => workers.nextWakeAt,
} satisfies SchedulerModule;

/** It has just been heard of: its silence starts anew. */
export function noteLife(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  worker.heardAt = batch.now;
  worker.silentSince = batch.now;
  if (!worker.isOpen || worker.state === "connected") return;
  worker.state = "connected";
  state.workers.wakeAt(worker, batch.now + state.settings.suspectMs);
}

/** It has a session and is about to open its stream. */
export function watchOpening(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  worker.heardAt = batch.now;
  suspect(state, batch, worker, state.settings.lostGraceMs);
}

/** Its stream has closed without a goodbye. */
export function noteClosing(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  const { settings } = state;
  suspect(state, batch, worker, worker.isRelayed ? settings.relayedGraceMs : settings.abruptGraceMs);
  if (worker.isProbeTrusted) probeWorker(batch, worker);
  let connected = 0;
  for (const other of state.workers) if (other.isOpen) connected += 1;
  const vanished = state.massLoss.note(worker.id, batch.now, connected, {
    windowMs: settings.massLossWindowMs,
    share: settings.massLossShare,
    min: settings.massLossMin,
  });
  if (vanished.length === 0) return;
  for (const id of vanished) {
    const other = state.workers.get(id as WorkerId);
    if (other !== undefined && !other.isOpen && !other.isGivenUp) suspect(state, batch, other, settings.lostGraceMs);
  }
  batch.out.effects.push({
    kind: "alarm",
    message: "many workers vanished at once; it may be the network, so none is given up yet",
    fields: { vanished: vanished.length, graceMs: settings.lostGraceMs },
  });
}

/** A new leader has heard of nobody: every worker gets time to find it, unless it has died as well. */
function watchAfterElection(state: SchedulerState, batch: Batch): void {
  for (const worker of state.workers) {
    if (worker.isGivenUp) continue;
    suspect(state, batch, worker, state.settings.failoverGraceMs);
    if (worker.isProbeTrusted) probeWorker(batch, worker);
  }
}

/** Asks at its probe port whether it is alive, if it has one. */
export function probeWorker(batch: Batch, { id, boot, record: { probe } }: LiveWorker): void {
  if (probe !== undefined) batch.out.effects.push({ kind: "probe", worker: id, boot, ...probe });
}

/**
 * A probe has come back. A refusal proves death only to the master that was answered by this boot there before: between another
 * one and the worker something may refuse in its name.
 */
function noteProbe(
  state: SchedulerState,
  batch: Batch,
  { worker: id, boot, result, ...address }: Extract<SchedulerInput, { kind: "probed" }>,
): void {
  const worker = state.workers.get(id);
  if (worker === undefined || !worker.listensAt(boot, address) || worker.isGivenUp) return;
  if (result === "connected") worker.isProbeTrusted = true;
  if (result === "refused" && worker.isProbeTrusted && !worker.isOpen) {
    loseWorker(state, batch, worker, "its port refused a connection");
  }
}

/** Everybody whose patience has run out moves on: from connected to suspect, from suspect to lost. */
function passTime(state: SchedulerState, batch: Batch): void {
  for (let worker = state.workers.popDue(batch.now); worker !== undefined; worker = state.workers.popDue(batch.now)) {
    if (worker.isGivenUp) continue;
    const patienceMs = worker.state === "connected" ? state.settings.suspectMs : worker.graceMs;
    const dueAt = worker.silentSince + patienceMs;
    if (dueAt > batch.now) state.workers.wakeAt(worker, dueAt);
    else if (worker.state === "connected") doubt(state, worker);
    else loseWorker(state, batch, worker, `nothing was heard of it for ${batch.now - worker.silentSince} ms`);
  }
}

/**
 * Time went by in which nobody could be heard: it is no silence. Whoever was turned away meanwhile has waited longer between
 * its tries, at most about as long as it went on; so everybody gets that time, and as much again, to come back.
 */
function shiftSilence(state: SchedulerState, batch: Batch, forMs: number): void {
  const { abruptGraceMs, failoverGraceMs } = state.settings;
  state.patientUntil = Math.max(state.patientUntil, batch.now + Math.min(failoverGraceMs, abruptGraceMs + 2 * forMs));
  for (const worker of state.workers) {
    if (worker.isGivenUp) continue;
    worker.silentSince = Math.min(batch.now, worker.silentSince + forMs);
    if (!worker.isOpen) worker.graceMs = Math.max(worker.graceMs, state.patientUntil - worker.silentSince);
  }
}

/** Everybody was hung up on and is looking for a leader, as after an election: that takes its time, and is nobody's death. */
function awaitReturn(state: SchedulerState, batch: Batch): void {
  state.patientUntil = Math.max(state.patientUntil, batch.now + state.settings.failoverGraceMs);
}

/** It is dead, or as good as dead: what it ran is killed and runs again elsewhere. */
export function loseWorker(state: SchedulerState, batch: Batch, worker: LiveWorker, why: string): void {
  endWorker(state, batch, worker, "lost", why);
}

/** It has left on purpose. */
export function leaveWorkerFor(state: SchedulerState, batch: Batch, worker: LiveWorker, why: string): void {
  endWorker(state, batch, worker, "gone", why);
}

function endWorker(state: SchedulerState, batch: Batch, worker: LiveWorker, end: "lost" | "gone", why: string): void {
  if (worker.isOpen && worker.session !== null) {
    batch.out.effects.push({ kind: "close-session", worker: worker.id, session: worker.session, reason: why });
  }
  worker.isOpen = false;
  worker.session = null;
  worker.state = end;
  state.workers.stopTimer(worker);
  state.workers.write(batch, { ...worker.record, state: end, changedAt: batch.now });
  for (const task of [...worker.tasks.values()]) {
    killAttempt(state, batch, task, { code: "worker-lost", message: `Worker ${worker.id} was given up: ${why}.` });
  }
  worker.clearDying();
}

/** Still connected, but silent: it keeps what it runs and gets nothing new. */
function doubt(state: SchedulerState, worker: LiveWorker): void {
  worker.state = "suspect";
  worker.graceMs = state.settings.lostGraceMs;
  state.workers.wakeAt(worker, worker.silentSince + worker.graceMs);
}

function suspect(state: SchedulerState, batch: Batch, worker: LiveWorker, graceMs: number): void {
  worker.state = "suspect";
  worker.silentSince = batch.now;
  worker.graceMs = Math.max(graceMs, state.patientUntil - batch.now);
  state.workers.wakeAt(worker, batch.now + worker.graceMs);
}
