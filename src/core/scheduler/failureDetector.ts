/**
 * Decides which workers are given up, and on what evidence (docs/reliability.md, 2). Each class of evidence has its own grace:
 * none after a proof of death, a short one after an abrupt close, a longer one during silence, and one after an election, when
 * the leader has heard of nobody yet. A wrong verdict costs work, never correctness: a late result of a killed attempt is stale.
 */

import { defaults } from "../../model/limits.ts";
import { raise } from "./alarms.ts";
import { killAttempt, loseAttempt } from "./attempts.ts";
import type { Batch } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { LiveWorker } from "./liveWorker.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import { endHoldsOf } from "./runStops.ts";
import type { SchedulerState } from "./state.ts";
import { tokenProblem } from "./workerTokens.ts";

export const failureDetector = {
  inputs: {
    probed: (state, batch, input) => noteProbe(state, batch, input),
    "clock-gap": (state, batch, { forMs, cause }) => {
      if (cause !== undefined) raiseGap(batch, forMs, cause);
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

function raiseGap(batch: Batch, forMs: number, cause: "store" | "clock"): void {
  const seconds = Math.round(forMs / 1000);
  if (cause === "store" && forMs >= defaults.alarmOutageMs)
    raise(batch, "store", "the store did not answer for some time; nothing was committed meanwhile", { seconds });
  if (cause === "clock" && forMs >= defaults.alarmClockMs)
    raise(batch, "clock", "the leader's clock was set forward, or its machine stood still", { seconds });
}

/** The worker has just been heard of: its silence is counted from now on. */
export function noteLife(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  worker.heardAt = batch.now;
  worker.silentSince = batch.now;
  if (!worker.isOpen || worker.state === "connected") return;
  worker.state = "connected";
  state.workers.wakeAt(worker, batch.now + state.settings.suspectMs);
}

/**
 * The worker has a session and is about to open its stream. It is probed at once: should it die soon, a refusal proves that only
 * if this master has found it alive before.
 * @param hasLostStream true if the same process had a stream that was open as far as this master knew: the worker was the first
 * to notice that it was lost
 */
export function watchOpening(state: SchedulerState, batch: Batch, worker: LiveWorker, hasLostStream: boolean): void {
  worker.heardAt = batch.now;
  state.massLoss.noteDisconnected(worker.id);
  suspect(state, batch, worker, state.settings.lostGraceMs);
  if (hasLostStream) weighLoss(state, batch, worker);
  if (!worker.isProbeTrusted) probeWorker(batch, worker);
}

/** Its stream is open. */
export function noteOpening(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  worker.isOpen = true;
  state.massLoss.noteOpening(worker.id);
  noteLife(state, batch, worker);
}

/** The same worker has attached as a new process: the old one is dead, and that says nothing about the network. */
export function noteNewBoot(state: SchedulerState, worker: LiveWorker): void {
  state.massLoss.explain(worker.id);
}

/** Its stream has closed without a goodbye. */
export function noteClosing(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  const { settings } = state;
  // Masters have cut it off themselves: that says nothing of its process, which may come back with another token.
  if (tokenProblem(state, batch, worker) !== null) {
    suspect(state, batch, worker, settings.lostGraceMs);
    if (worker.isProbeTrusted) probeWorker(batch, worker);
    return;
  }
  suspect(state, batch, worker, worker.isRelayed ? settings.relayedGraceMs : settings.abruptGraceMs);
  if (worker.isProbeTrusted) probeWorker(batch, worker);
  weighLoss(state, batch, worker);
}

/** A stream was lost, and nothing says why: if many are lost at once, their workers are spared. */
function weighLoss(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  const { settings } = state;
  const spared = state.massLoss.noteClosing(worker.id, batch.now, {
    windowMs: settings.massLossWindowMs,
    share: settings.massLossShare,
    min: settings.massLossMin,
  });
  for (const id of spared) {
    const other = state.workers.get(id);
    if (other !== undefined && !other.isOpen && !other.isGivenUp) suspect(state, batch, other, settings.lostGraceMs);
  }
  // The first closing that is too many spares several workers, each later one only itself.
  if (spared.length > 1) {
    const message =
      "many workers lost their connections at once; it may be the network, so none of them is given up yet";
    raise(batch, "mass-loss", message, { workers: spared.length, graceMs: settings.lostGraceMs });
  }
}

/** A new leader has heard of nobody yet: every worker gets time to find it, unless a probe shows that it is dead. */
function watchAfterElection(state: SchedulerState, batch: Batch): void {
  for (const worker of state.workers) {
    if (worker.isGivenUp) {
      rememberGone(state, worker);
      continue;
    }
    suspect(state, batch, worker, state.settings.failoverGraceMs);
    if (worker.isProbeTrusted) probeWorker(batch, worker);
  }
}

/** Asks at the worker's probe port, if it has one, whether it is alive. */
export function probeWorker(batch: Batch, { id, boot, record: { probe } }: LiveWorker): void {
  if (probe !== undefined) batch.out.effects.push({ kind: "probe", worker: id, boot, ...probe });
}

/**
 * A probe has come back. A refusal proves death only to a master that this boot has answered at this address before: elsewhere
 * something between the two may refuse the connection.
 */
function noteProbe(
  state: SchedulerState,
  batch: Batch,
  { worker: id, boot, result, ...address }: Extract<SchedulerInput, { kind: "probed" }>,
): void {
  const worker = state.workers.get(id);
  if (worker === undefined || !worker.listensAt(boot, address) || worker.isGivenUp) return;
  if (result === "connected" && !worker.isProbeTrusted) {
    worker.isProbeTrusted = true;
    // It was alive when it answered. Its stream may have closed since then.
    if (!worker.isOpen) probeWorker(batch, worker);
  }
  if (result === "refused" && worker.isProbeTrusted && !worker.isOpen) {
    loseWorker(state, batch, worker, "its port refused a connection");
  }
}

/** Every worker whose grace is over moves on: from connected to suspect, from suspect to lost, and after long out of memory. */
function passTime(state: SchedulerState, batch: Batch): void {
  // A worker that is given up takes all of its attempts along.
  while (!isFull(batch)) {
    const worker = state.workers.popDue(batch.now);
    if (worker === undefined) return;
    if (worker.isGivenUp) {
      state.workers.remove(batch, worker);
      continue;
    }
    const patienceMs = worker.state === "connected" ? state.settings.suspectMs : worker.graceMs;
    const dueAt = worker.silentSince + patienceMs;
    if (dueAt > batch.now) state.workers.wakeAt(worker, dueAt);
    else if (worker.state === "connected") doubt(state, worker);
    else endWorker(state, batch, worker, "lost", silenceOf(state, batch, worker));
  }
}

function silenceOf(state: SchedulerState, batch: Batch, worker: LiveWorker): string {
  const problem = tokenProblem(state, batch, worker);
  const silence = `nothing was heard of it for ${batch.now - worker.silentSince} ms`;
  return problem === null ? silence : `${silence}: ${problem}`;
}

/**
 * For `forMs` the leader could hear nobody: that time does not count as silence. Workers that were turned away meanwhile have
 * waited longer and longer between their tries, at most about `forMs`; so each gets that time, and as much again, to come back.
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

/** The leader has closed all streams itself, and workers look for a leader as after an election: no closing is evidence. */
function awaitReturn(state: SchedulerState, batch: Batch): void {
  state.patientUntil = Math.max(state.patientUntil, batch.now + state.settings.failoverGraceMs);
}

/** The worker is known to be dead: the attempts that it ran are killed, and their tasks run again elsewhere. */
export function loseWorker(state: SchedulerState, batch: Batch, worker: LiveWorker, why: string): void {
  state.massLoss.explain(worker.id);
  endWorker(state, batch, worker, "lost", why);
}

/** The worker has left on purpose. */
export function leaveWorkerFor(state: SchedulerState, batch: Batch, worker: LiveWorker, why: string): void {
  state.massLoss.explain(worker.id);
  endWorker(state, batch, worker, "gone", why);
}

function endWorker(state: SchedulerState, batch: Batch, worker: LiveWorker, end: "lost" | "gone", why: string): void {
  if (worker.isOpen && worker.session !== null) {
    batch.out.effects.push({ kind: "close-session", worker: worker.id, session: worker.session, reason: why });
  }
  state.massLoss.noteDisconnected(worker.id);
  worker.isOpen = false;
  worker.session = null;
  worker.state = end;
  if (end === "lost") state.workers.countLoss(worker);
  state.workers.write(batch, { ...worker.record, state: end, changedAt: batch.now });
  rememberGone(state, worker);
  for (const task of [...worker.tasks.values()]) {
    const message = `Worker ${worker.id} was given up: ${why}.`;
    if (end === "lost") loseAttempt(state, batch, task, message);
    else killAttempt(state, batch, task, message);
  }
  worker.clearDying();
  endHoldsOf(state, batch, worker.id);
}

/** It is shown for a while, for people who ask what has become of it. Names that never come again must not fill up the memory. */
function rememberGone({ workers, settings }: SchedulerState, worker: LiveWorker): void {
  workers.wakeAt(worker, worker.record.changedAt + settings.goneWorkerKeptMs);
}

/** The worker is connected, but silent: it keeps what it runs and gets nothing new. */
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
