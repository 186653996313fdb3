/** Tells a real run in the words in which the simulator tells its own, so that the same checkers judge both. */
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { isFinal } from "../../model/task.ts";
import type { WorkerRecord } from "../../model/worker.ts";
import type { ExecutionEnd, Happening, History, LandedEntry, LedgerEvent } from "../checkers/ledger.ts";
import type { LedgerFact } from "../cluster/attemptLines.ts";
import { clockSlackMs, lostRecordMs } from "../cluster/record.ts";
import { type Evidence, type JournalEntry, livesByBoot } from "./evidence.ts";
import type { Strike } from "./faults.ts";
import type { ClientLine } from "./ledger.ts";

/** Something that happened, before it has its place. Of what stands at one instant, the lower `rank` came first. */
interface Placed {
  readonly at: number;
  readonly rank: number;
  /** When it was recorded, if that is not its place in the order. */
  readonly recordedAt?: number;
  readonly happening?: Happening;
  readonly entry?: JournalEntry;
}

/** All clocks of one machine are one; within a millisecond only reason can tell: an end comes before its commit, a start after. */
const ranks = { end: 0, client: 1, world: 1, entry: 2, start: 3 } as const;

/** What a real run must leave so that the checkers can judge it. */
export type Recorded = Pick<
  Evidence,
  | "startedAt"
  | "clients"
  | "facts"
  | "strikes"
  | "lives"
  | "masters"
  | "entries"
  | "documents"
  | "outboxes"
  | "drifts"
  | "capacity"
>;

export function toHistory(evidence: Recorded): History {
  const placed: Placed[] = [
    ...evidence.clients.flatMap((line) => place(line.at, ranks.client, fromClient(line))),
    ...ownOrder(evidence.facts),
    ...deaths(evidence),
    ...evidence.strikes.flatMap(fromStrike),
    ...boots(evidence),
    ...(evidence.entries ?? []).map((entry) => ({ at: entry.at, rank: ranks.entry, entry })),
  ];
  placed.sort((a, b) => a.at - b.at || a.rank - b.rank);

  const events: LedgerEvent[] = [];
  const entries: LandedEntry[] = [];
  let landed = 0;
  for (const [order, { at, recordedAt = at, happening, entry }] of placed.entries()) {
    if (happening !== undefined) events.push({ ...happening, at: recordedAt - evidence.startedAt, order });
    // The journal's own order is the true one: clocks of two leaders may be a millisecond apart.
    const inJournal = entry === undefined ? undefined : evidence.entries?.[landed++];
    if (inJournal !== undefined) entries.push({ ...inJournal, landedAt: at - evidence.startedAt, order });
  }
  const documents = new Map(evidence.documents.map((document) => [document.id, document]));
  const unfinished = evidence.documents.filter(({ state }) => !isFinal(state));
  return {
    events,
    entries,
    final: {
      documents,
      workers: [],
      queues: [],
      outboxes: evidence.outboxes,
      leader: null,
      masters: [],
      followers: new Map(),
      drifts: evidence.drifts,
      unfinished: new Map(unfinished.map(({ id, state, attempt }) => [id, `it is ${state} in attempt ${attempt}`])),
    },
    conditions: {
      suspectMs: defaults.suspectMs,
      abruptGraceMs: defaults.abruptGraceMs,
      lostGraceMs: defaults.lostGraceMs,
      goneWorkerKeptMs: defaults.goneWorkerKeptMs,
      failoverGraceMs: defaults.failoverGraceMs,
      timeoutBackstopMs: defaults.timeoutBackstopMs,
      clockSpreadMs: 0,
      driftMax: 0,
      isNetworkQuick: false,
      appendMsMax: limits.commitWaitMsMax,
      hasStaleReads: true,
      retention: null,
      workers: new Set(evidence.lives.filter(({ role }) => role === "worker").map(({ process }) => process)).size,
      masters: evidence.masters.size,
      timestampSlackMs: clockSlackMs,
      lostRecordMs,
      areOutputsTokens: false,
      addressesVanish: false,
      isCalm: evidence.strikes.length === 0,
      sparesWorkers: false,
    },
  };
}

function place(at: number, rank: number, happening: Happening | null): Placed[] {
  return happening === null ? [] : [{ at, rank, happening }];
}

/**
 * The order of a worker's own log is the true one, also where the clock was set back meanwhile. Within a millisecond ends come
 * before starts, so that a commit finds its place between them; but what ended in the very millisecond in which something began
 * stays behind that, as it stands in the log.
 */
function ownOrder(facts: readonly LedgerFact[]): Placed[] {
  const latest = new Map<string, number>();
  const startedAt = new Map<string, number>();
  return facts.map((fact) => {
    const { process, kind } = fact;
    const at = Math.max(fact.at, latest.get(process) ?? 0);
    latest.set(process, at);
    if (kind === "started") startedAt.set(process, at);
    const rank = startedAt.get(process) === at ? ranks.start : ranks.end;
    return { at, rank, recordedAt: fact.at, happening: fromFact(fact) };
  });
}

function fromClient(line: ClientLine): Happening | null {
  const { at: _at, session: _session, ...rest } = line;
  switch (rest.kind) {
    case "submit-ok":
      return { ...rest, ids: rest.ids as readonly TaskId[] };
    case "submit-invoke":
    case "submit-fail":
      return rest;
    case "submit-info":
      return { kind: rest.kind, call: rest.call };
    case "cancel-ok":
    case "cancel-info":
      return { kind: rest.kind, task: rest.task as TaskId };
    case "cancel-fail":
      return { ...rest, task: rest.task as TaskId };
    // Which master answered a client does not know: its reads are judged by themselves.
    case "read":
    case "read-fail":
      return null;
    default:
      return rest satisfies never;
  }
}

/** A killed worker's attempts end with it, and what it wrote down last may be lost. */
function deaths(evidence: Recorded): Placed[] {
  const ended = new Set(evidence.facts.filter(({ kind }) => kind === "ended").map(toToken));
  const lives = livesByBoot(evidence);
  const rank = ranks.end;
  const open = evidence.facts.flatMap((fact): Placed[] => {
    const at = lives.get(fact.boot)?.endedAt ?? null;
    if (fact.kind !== "started" || at === null || ended.has(toToken(fact))) return [];
    const happening = { ...about(fact), kind: "exec-end", end: "died" } as const;
    // The worker may have been killed in the very millisecond in which it began.
    return [at > fact.at ? { at, rank, happening } : { at: fact.at, rank: ranks.start, happening }];
  });
  const killed = [...lives].flatMap(([boot, { process, cause, endedAt }]): Placed[] =>
    cause === "killed" && endedAt !== null
      ? [{ at: endedAt, rank, happening: { kind: "record-ends", worker: process as WorkerId, boot: boot as BootId } }]
      : [],
  );
  return [...open, ...killed];
}

const ends: { readonly [outcome: string]: ExecutionEnd } = { success: "success", failed: "failed", aborted: "aborted" };

function fromFact(fact: LedgerFact): Happening {
  if (fact.kind === "started") return { kind: "exec-start", ...about(fact) };
  return { kind: "exec-end", ...about(fact), end: ends[fact.outcome ?? ""] ?? "aborted" };
}

function about(fact: LedgerFact) {
  const { process, boot, task, attempt } = fact;
  return {
    worker: process as WorkerId,
    boot: boot as BootId,
    task: task as TaskId,
    attempt,
    token: toToken(fact),
  };
}

function toToken({ boot, task, attempt }: LedgerFact): string {
  return `${boot}/${task}/${attempt}`;
}

/** Faults that make time count differently: nobody can be blamed for what was late while they lasted. */
function fromStrike(strike: Strike): Placed[] {
  if (strike.hit.length === 0 || strike.kind === "task") return [];
  const what = `fault ${strike.number}`;
  const from: Happening = { kind: "trouble", what, nodes: [strike.at, ...strike.hit] };
  const to: Happening = { kind: "trouble-over", what, nodes: [] };
  const rank = ranks.world;
  return [
    { at: strike.startedAt, rank, happening: from },
    ...(strike.endedAt === null ? [] : [{ at: strike.endedAt, rank, happening: to }]),
  ];
}

/** How many slots each boot has, told before anything ran there. */
function boots({ entries, startedAt, capacity }: Recorded): Placed[] {
  const found = new Map<string, WorkerRecord>();
  for (const { writes } of entries ?? []) {
    for (const write of writes) {
      if (write.kind === "record" && write.collection === "workers" && write.value !== null)
        found.set(write.value.boot, write.value);
    }
  }
  return [...found.values()].map(({ id, boot }) => ({
    at: startedAt,
    rank: ranks.world,
    happening: { kind: "start", node: id, life: boot, boot, capacity },
  }));
}
