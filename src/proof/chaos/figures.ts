/** What a run measured: how many were killed, and how long it took until the work went on. */
import { quantile } from "../../model/quantile.ts";
import type { TaskState } from "../../model/task.ts";
import type { LedgerFact } from "../cluster/attemptLines.ts";
import type { Life } from "../cluster/lives.ts";
import { type Attempt, attemptsOf, type Evidence } from "./evidence.ts";
import { type FaultKind, isLinkFault, type Strike } from "./faults.ts";

/** Times in ms, ascending. */
export interface Spread {
  readonly all: readonly number[];
  /** Null if there are none. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export interface Latency {
  /** From every such kill. */
  readonly every: Spread;
  /** From those during which nothing else was wrong that could hold the work up: what the kill alone costs. */
  readonly undisturbed: Spread;
}

export interface Figures {
  readonly faults: { readonly [Kind in FaultKind]?: number };
  readonly leaderKills: number;
  readonly masterKills: number;
  readonly workerKills: number;
  readonly epochs: number;
  readonly tasks: { readonly [State in TaskState]?: number };
  readonly attempts: number;
  readonly killedAttempts: number;
  /** From SIGKILL of the leader to the next one's marker in the journal. */
  readonly leaderToLeader: Latency;
  /** From SIGKILL of the leader to the first start, on any worker, of an attempt that a later leader assigned. */
  readonly leaderToStart: Latency;
  /** From SIGKILL of a worker to the start of the next attempt of each task that ran on it. */
  readonly workerToStart: Latency;
}

/** One kill, and when the work went on; null if it never did. */
export interface Recovery {
  readonly at: number;
  readonly process: string;
  readonly tookMs: number | null;
  readonly isDisturbed: boolean;
}

/** Processes need a while after a fault to be themselves again. */
const warmMs = 1_000;
/** A standby that has only just found its leader does not yet keep an eye on it. */
const heirWarmMs = 200;

export function figuresOf(evidence: Evidence): Figures {
  const attempts = attemptsOf(evidence);
  const leaders = leaderRecoveries(evidence, attempts);
  const workers = workerRecoveries(evidence, attempts);
  const killed = (role: Life["role"]) =>
    evidence.lives.filter((life) => life.role === role && life.cause === "killed").length;
  const epochs = new Set(evidence.entries?.map(({ epoch }) => epoch));
  return {
    faults: countBy(evidence.strikes.filter(({ hit }) => hit.length > 0).map(({ kind }) => kind)),
    leaderKills: leaders.length,
    masterKills: killed("master"),
    workerKills: killed("worker"),
    epochs: epochs.size,
    tasks: countBy(evidence.documents.map(({ state }) => state)),
    attempts: attempts.size,
    killedAttempts: [...attempts.values()].filter(({ killedAt }) => killedAt !== null).length,
    leaderToLeader: latency(leaders.map((recovery) => ({ ...recovery, tookMs: recovery.electedMs }))),
    leaderToStart: latency(leaders),
    workerToStart: latency(workers),
  };
}

function countBy<Key extends string>(keys: readonly Key[]): { [key in Key]?: number } {
  const counts: { [key in Key]?: number } = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

/** Every SIGKILL that hit the master which led at that moment; also when the next one was elected. */
export function leaderRecoveries(
  evidence: Evidence,
  attempts: ReadonlyMap<string, Attempt>,
): (Recovery & { readonly electedMs: number | null })[] {
  const terms = termsOf(evidence);
  const starts = startsInOrder(evidence.facts);
  const masters = evidence.lives.filter(({ role }) => role === "master");
  return masters.flatMap((life) => {
    const { endedAt, cause, process } = life;
    if (endedAt === null || cause !== "killed") return [];
    const term = terms.findLast(({ at }) => at <= endedAt);
    if (term === undefined || term.process !== process || term.at < life.startedAt) return [];
    const next = firstStart(starts, endedAt, (fact) => {
      const assigned = attempts.get(`${fact.task}/${fact.attempt}`)?.assigned;
      return assigned !== null && assigned !== undefined && assigned.epoch > term.epoch;
    });
    const toAt = next?.at ?? evidence.endedAt;
    const hasHeir = masters.some(
      (other) =>
        other !== life &&
        other.readyAt !== null &&
        other.readyAt + heirWarmMs <= endedAt &&
        (other.endedAt === null || other.endedAt >= toAt),
    );
    const isDisturbed = !hasHeir || evidence.strikes.some((strike) => disturbsMasters(strike, process, endedAt, toAt));
    const heir = terms.find(({ at }) => at > endedAt);
    const electedMs = heir === undefined ? null : heir.at - endedAt;
    return [{ at: endedAt, process, tookMs: next === undefined ? null : next.at - endedAt, electedMs, isDisturbed }];
  });
}

/** For every attempt that a SIGKILL cut off: when the next one of its task ran. */
export function workerRecoveries(evidence: Evidence, attempts: ReadonlyMap<string, Attempt>): Recovery[] {
  const lives = new Map(evidence.lives.map((life) => [`${life.process}#${life.number}`, life]));
  return [...attempts.values()].flatMap((attempt) => {
    const [start] = attempt.starts;
    if (start === undefined || attempt.ends.length > 0 || attempt.killedAt === null) return [];
    const life = lives.get(`${start.process}#${start.life}`);
    if (life?.cause !== "killed" || life.endedAt === null) return [];
    const from = life.endedAt;
    const next = attempts.get(`${attempt.task}/${attempt.attempt + 1}`)?.starts[0];
    // It was cancelled before it could run again.
    if (next === undefined) return [];
    const involved = [start.process, next.process];
    const isDisturbed = evidence.strikes.some((strike) => disturbsWorkers(strike, involved, from, next.at));
    return [{ at: from, process: start.process, tookMs: next.at - from, isDisturbed }];
  });
}

/** The names of the leaders by epoch, from the markers in the journal. */
export function termsOf({
  entries,
  masters,
}: Evidence): { readonly epoch: number; readonly at: number; readonly process: string }[] {
  return (entries ?? []).flatMap(({ epoch, at, writes }) =>
    writes.flatMap((write) =>
      write.kind === "marker" ? [{ epoch, at, process: masters.get(write.address) ?? write.address }] : [],
    ),
  );
}

function startsInOrder(facts: readonly LedgerFact[]): LedgerFact[] {
  return facts.filter(({ kind }) => kind === "started").sort((a, b) => a.at - b.at);
}

function firstStart(
  starts: readonly LedgerFact[],
  from: number,
  isWanted: (fact: LedgerFact) => boolean,
): LedgerFact | undefined {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle]?.at ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  for (let index = low; index < starts.length; index++) {
    const fact = starts[index];
    if (fact !== undefined && isWanted(fact)) return fact;
  }
  return undefined;
}

/** True for another fault to a master, or to the store, that was felt between the two instants. */
function disturbsMasters(strike: Strike, killed: string, from: number, to: number): boolean {
  if (!isFeltBetween(strike, from, to)) return false;
  if (strike.kind === "disk" || strike.kind === "server" || strike.kind === "blackout") return true;
  const isOnMaster = ["kill", "stop", "pause", "unplug"].includes(strike.kind);
  return isOnMaster && strike.hit.some((process) => process.startsWith("master") && process !== killed);
}

/** True for a fault to a master or to the store, and for one that held up either of the two workers. */
function disturbsWorkers(strike: Strike, involved: readonly string[], from: number, to: number): boolean {
  if (!isFeltBetween(strike, from, to)) return false;
  if (isLinkFault(strike.kind)) return involved.includes(strike.at);
  if ((strike.kind === "pause" || strike.kind === "unplug") && strike.hit.some((process) => involved.includes(process)))
    return true;
  return strike.hit.some((process) => process.startsWith("master") || process === "store");
}

function isFeltBetween(strike: Strike, from: number, to: number): boolean {
  return strike.hit.length > 0 && strike.startedAt <= to && (strike.endedAt ?? to) + warmMs >= from;
}

function latency(recoveries: readonly Recovery[]): Latency {
  return { every: spread(recoveries), undisturbed: spread(recoveries.filter(({ isDisturbed }) => !isDisturbed)) };
}

function spread(recoveries: readonly Recovery[]): Spread {
  const all = recoveries.flatMap(({ tookMs }) => tookMs ?? []).sort((a, b) => a - b);
  return { all, p50: quantile(all, 0.5), p99: quantile(all, 0.99), max: all.at(-1) ?? null };
}
