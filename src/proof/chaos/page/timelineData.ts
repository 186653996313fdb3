/** The timeline of a run as plain numbers, small enough to stand in a page: a lane for each process, with all that happened on it. */
import type { LedgerFact } from "../../cluster/attemptLines.ts";
import { type Attempt, attemptsOf, type Evidence } from "../evidence.ts";
import { faultText, isLinkFault, type Strike } from "../faults.ts";
import { termsOf } from "../figures.ts";
import { type Lane, outcomes, type TimelineData } from "./timelineShape.ts";

/** The flow is told in so many steps. */
const flowSteps = 600;
const flowStepMsMin = 250;

export function timelineOf(evidence: Evidence): TimelineData {
  const scale = (at: number) => Math.max(0, Math.round(at - evidence.startedAt));
  const tasks = new Map<string, number>();
  const names = [...new Set(evidence.lives.map((life) => life.process))].sort(byName);
  const clients = [...new Set(evidence.clients.map((line) => line.session))].sort(byName);
  const attempts = Map.groupBy(attemptsOf(evidence).values(), (attempt) => attempt.starts[0]?.process ?? "");
  const lanes = [
    ...names.map((name) => processLane(name, evidence, attempts.get(name) ?? [], tasks, scale)),
    ...clients.map((name) => ({ ...emptyLane(name, "client"), troubles: troublesOf(name, evidence, scale) })),
    ...(evidence.strikes.some(({ kind }) => kind === "disk" || kind === "server")
      ? [{ ...emptyLane("store", "store"), troubles: troublesOf("store", evidence, scale) }]
      : []),
  ];
  return {
    endMs: scale(evidence.endedAt),
    storm: [scale(evidence.faultsAt), scale(evidence.healedAt)],
    lanes,
    flow: flowOf(evidence),
    tasks: [...tasks.keys()],
    outcomes,
  };
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function emptyLane(name: string, role: Lane["role"]): Lane {
  return { name, role, rows: 0, lives: [], terms: [], pauses: [], attempts: [], troubles: [], marks: [] };
}

function processLane(
  name: string,
  evidence: Evidence,
  attempts: readonly Attempt[],
  tasks: Map<string, number>,
  scale: (at: number) => number,
): Lane {
  const lives = evidence.lives.filter((life) => life.process === name);
  const endOf = (at: number | null) => scale(at ?? evidence.endedAt);
  const own = new Set(attempts.map(({ task, attempt }) => `${task}/${attempt}`));
  const isOnIt = ({ kind, hit }: Strike) => (kind === "task" ? hit.some((key) => own.has(key)) : hit.includes(name));
  const strikes = evidence.strikes.filter((strike) => !isLinkFault(strike.kind) && isOnIt(strike));
  const role = lives[0]?.role ?? "worker";
  return {
    ...emptyLane(name, role),
    rows: role === "worker" ? evidence.capacity : 0,
    lives: lives.map((life) => [scale(life.startedAt), endOf(life.endedAt), life.cause === "killed" ? 1 : 0]),
    terms: termSpans(name, evidence, scale),
    pauses: strikes
      .filter(({ kind }) => kind === "pause")
      .map(({ startedAt, endedAt }) => [scale(startedAt), endOf(endedAt)]),
    attempts: placed(attempts, evidence, tasks, scale),
    troubles: troublesOf(name, evidence, scale),
    marks: strikes.map((strike) => [scale(strike.startedAt), strike.kind, faultText(strike, strike.hit)]),
  };
}

/** A term lasts until another leader's marker, or until its process is gone. */
function termSpans(name: string, evidence: Evidence, scale: (at: number) => number): [number, number, number][] {
  const terms = termsOf(evidence);
  return terms.flatMap(({ epoch, at, process }, index) => {
    if (process !== name) return [];
    const life = evidence.lives.findLast((other) => other.process === name && other.startedAt <= at);
    const to = Math.min(terms[index + 1]?.at ?? evidence.endedAt, life?.endedAt ?? evidence.endedAt);
    return [[scale(at), scale(to), epoch]];
  });
}

function troublesOf(
  name: string,
  { strikes, endedAt: end }: Evidence,
  scale: (at: number) => number,
): Lane["troubles"] {
  const isItsTrouble = (strike: Strike) =>
    strike.kind === "unplug"
      ? strike.hit.includes(name)
      : strike.at === name && (isLinkFault(strike.kind) || strike.kind === "disk" || strike.kind === "server");
  return strikes
    .filter((strike) => isItsTrouble(strike) && strike.hit.length > 0)
    .map((strike) => [
      scale(strike.startedAt),
      scale(strike.endedAt ?? end),
      strike.kind,
      faultText(strike, strike.hit),
    ]);
}

/** Each attempt in the first row that is free when it begins. */
function placed(
  attempts: readonly Attempt[],
  evidence: Evidence,
  tasks: Map<string, number>,
  scale: (at: number) => number,
): Lane["attempts"] {
  const lives = new Map(evidence.lives.map((life) => [`${life.process}#${life.number}`, life]));
  const freeAt: number[] = [];
  const inOrder = attempts
    .flatMap((attempt) => (attempt.starts[0] === undefined ? [] : [{ attempt, start: attempt.starts[0] }]))
    .sort((a, b) => a.start.at - b.start.at);
  return inOrder.map(({ attempt, start }) => {
    const end = attempt.ends[0]?.at ?? lives.get(`${start.process}#${start.life}`)?.endedAt ?? evidence.endedAt;
    const free = freeAt.findIndex((at) => at <= start.at);
    const row = free === -1 ? freeAt.length : free;
    freeAt[row] = end;
    if (!tasks.has(attempt.task)) tasks.set(attempt.task, tasks.size);
    return [scale(start.at), scale(end), row, outcomeOf(attempt, start), tasks.get(attempt.task) ?? 0, attempt.attempt];
  });
}

function outcomeOf({ outcome, ends, killedAt }: Attempt, start: LedgerFact): number {
  const name = (() => {
    if (outcome === "success") return "success";
    if (killedAt !== null) {
      // It went on, and even came to its end, after it had been given up: that no longer counted.
      const hasEnded = ends.some((end) => end.boot === start.boot && end.outcome === "success");
      return hasEnded ? "ended late" : "cut off";
    }
    return outcome === "failed" ? "failed" : "aborted";
  })();
  return outcomes.indexOf(name);
}

function flowOf({ clients, startedAt, endedAt }: Evidence): TimelineData["flow"] {
  const stepMs = Math.max(flowStepMsMin, Math.ceil((endedAt - startedAt) / flowSteps));
  const counts = Array.from({ length: Math.ceil((endedAt - startedAt) / stepMs) }, () => 0);
  for (const line of clients) {
    if (line.kind !== "submit-ok") continue;
    const index = Math.floor((line.at - startedAt) / stepMs);
    counts[index] = (counts[index] ?? 0) + line.ids.length;
  }
  return { stepMs, counts };
}
