/** What a run left behind: what was asked for, what the journal says, and what the processes wrote down themselves. */
import type { TaskDocument, TaskState } from "../../model/task.ts";

/** A task as the client asked for it. */
export interface AskedTask {
  readonly id: string;
  readonly sleepMs: number;
  /** When the master's answer to the submit came in; null if none ever came. */
  readonly acknowledgedAt: number | null;
}

/** One committed change of a task's status, from the journal. */
export interface JournalChange {
  readonly seq: number;
  readonly epoch: number;
  readonly at: number;
  readonly task: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly kills: number;
  readonly host: string | null;
  readonly boot: string | null;
}

/** One line of a worker's own log, written by the process that ran the attempt at the moment it began or ended. */
export interface LedgerFact {
  readonly kind: "started" | "ended";
  readonly at: number;
  readonly task: string;
  readonly attempt: number;
  readonly boot: string;
  /** Of an end: `success`, `failed` or `aborted`. */
  readonly outcome: string | null;
  /** Whose log it stood in, and which life of that process wrote it. */
  readonly process: string;
  readonly life: number;
}

/** One life of one process. All instants by the clock of the run, in ms since 1970. */
export interface Life {
  readonly process: string;
  readonly role: "master" | "worker";
  /** 1, 2, 3 … for each start of the same process. */
  readonly number: number;
  readonly startedAt: number;
  readonly readyAt: number | null;
  /** When SIGKILL was sent, or, if it was not, when the process was gone; null while it lives. */
  readonly endedAt: number | null;
  /** Who ended it: SIGKILL by the run, SIGTERM at the end of the run, or itself (which is never right). */
  readonly cause: "killed" | "stopped" | "itself" | null;
  /** How it ended, for people: `SIGKILL`, `exit code 1`. */
  readonly exit: string | null;
}

export interface Evidence {
  readonly asked: readonly AskedTask[];
  readonly documents: readonly TaskDocument[];
  /** In the order of the journal. */
  readonly journal: readonly JournalChange[];
  readonly ledger: readonly LedgerFact[];
  readonly lives: readonly Life[];
}

/** All that the ledger says of one attempt. */
export interface LedgerAttempt {
  readonly task: string;
  readonly attempt: number;
  readonly starts: readonly LedgerFact[];
  readonly ends: readonly LedgerFact[];
}

/** A time in which no master answered: from the death of one to the ready line of the next. */
export interface Outage {
  readonly from: number;
  /** Null if no master came back. */
  readonly to: number | null;
}

export const startedMessage = "attempt started";
export const endedMessage = "attempt ended";

/** Reads the facts out of one life's log; lines that are not JSON (a torn last line of a killed process) say nothing. */
export function readLedger(text: string, process: string, life: number): LedgerFact[] {
  const facts: LedgerFact[] = [];
  for (const line of text.split("\n")) {
    const fact = parseFact(line, process, life);
    if (fact !== null) facts.push(fact);
  }
  return facts;
}

function parseFact(line: string, process: string, life: number): LedgerFact | null {
  if (!line.includes('"attempt ')) return null;
  const record = parseObject(line);
  if (record === null) return null;
  const { msg, time, task, attempt, boot, outcome } = record;
  if (msg !== startedMessage && msg !== endedMessage) return null;
  if (typeof time !== "number" || typeof task !== "string" || typeof attempt !== "number" || typeof boot !== "string")
    return null;
  return {
    kind: msg === startedMessage ? "started" : "ended",
    at: time,
    task,
    attempt,
    boot,
    outcome: typeof outcome === "string" ? outcome : null,
    process,
    life,
  };
}

/** An object from a line of JSON, or null if it is anything else. */
export function parseObject(line: string): { [key: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(line);
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as { [key: string]: unknown })
      : null;
  } catch {
    return null;
  }
}

/** The ledger by attempt, `<task>/<attempt>`. */
export function byAttempt(ledger: readonly LedgerFact[]): Map<string, LedgerAttempt> {
  const attempts = new Map<string, { task: string; attempt: number; starts: LedgerFact[]; ends: LedgerFact[] }>();
  for (const fact of ledger) {
    const key = `${fact.task}/${fact.attempt}`;
    let entry = attempts.get(key);
    if (entry === undefined)
      attempts.set(key, (entry = { task: fact.task, attempt: fact.attempt, starts: [], ends: [] }));
    (fact.kind === "started" ? entry.starts : entry.ends).push(fact);
  }
  return attempts;
}

/** The journal by task, each in its order. */
export function byTask(journal: readonly JournalChange[]): Map<string, JournalChange[]> {
  return Map.groupBy(journal, (change) => change.task);
}

/** The attempts that the journal says were killed. */
export function killedAttempts(changes: readonly JournalChange[]): { task: string; attempt: number; at: number }[] {
  const killed: { task: string; attempt: number; at: number }[] = [];
  let kills = 0;
  for (const change of changes) {
    // The next attempt may start in the very entry that killed the one before: then only `kills` shows it.
    if (change.kills > kills) {
      killed.push({
        task: change.task,
        attempt: change.state === "running" ? change.attempt - 1 : change.attempt,
        at: change.at,
      });
    }
    kills = change.kills;
  }
  return killed;
}

/** When no master was there. */
export function outages(lives: readonly Life[]): Outage[] {
  const masters = lives.filter((life) => life.role === "master").sort((a, b) => a.startedAt - b.startedAt);
  return masters.flatMap((life) => {
    if (life.endedAt === null || life.cause === "stopped") return [];
    const { endedAt } = life;
    const next = masters.find((other) => other.startedAt >= endedAt && other.readyAt !== null);
    return [{ from: endedAt, to: next?.readyAt ?? null }];
  });
}

/** The life that wrote a fact. */
export function lifeOf(lives: readonly Life[], fact: LedgerFact): Life | undefined {
  return lives.find((life) => life.process === fact.process && life.number === fact.life);
}
