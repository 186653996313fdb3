/** What workers write into their own logs about the attempts they run: a ledger apart from the journal. */

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

/** All that the ledger says of one attempt. */
export interface LedgerAttempt {
  readonly task: string;
  readonly attempt: number;
  readonly starts: readonly LedgerFact[];
  readonly ends: readonly LedgerFact[];
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
