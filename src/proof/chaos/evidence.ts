/** What a run leaves to be judged: the clients' and tasks' ledger, the workers' own lines, the journal, and what was done to whom. */
import type { Entry, Write } from "../../model/entry.ts";
import { attemptKey, type TaskId } from "../../model/ids.ts";
import type { TaskDocument, TaskStatus } from "../../model/task.ts";
import type { LedgerFact } from "../cluster/attemptLines.ts";
import type { Life } from "../cluster/lives.ts";
import type { Strike } from "./faults.ts";
import type { ClientLine, ExecLine } from "./ledger.ts";
import type { Orphan } from "./orphans.ts";

/** An entry of the journal with its writes at hand. */
export interface JournalEntry extends Omit<Entry, "body"> {
  readonly writes: readonly Write[];
}

export interface Evidence {
  /** All instants in ms since 1970. */
  readonly startedAt: number;
  readonly faultsAt: number;
  readonly healedAt: number;
  readonly endedAt: number;
  readonly strikes: readonly Strike[];
  /** The names of the masters by their addresses. */
  readonly masters: ReadonlyMap<string, string>;
  readonly clients: readonly ClientLine[];
  /** What tasks wrote themselves. */
  readonly executed: readonly ExecLine[];
  /** What workers wrote about the attempts they ran, in each one's own order. */
  readonly facts: readonly LedgerFact[];
  readonly lives: readonly Life[];
  /** Read from the store when all was over; null where there is no store to look into. */
  readonly entries: readonly JournalEntry[] | null;
  readonly documents: readonly TaskDocument[];
  /** Results that still wait in each worker's outbox. */
  readonly outboxes: ReadonlyMap<string, number>;
  readonly orphans: Orphans;
  readonly quiet: Quiet;
  /** Slots of each worker. */
  readonly capacity: number;
  /** What is wrong with the store by its own word, and how often a standby found its memory unlike the leader's. */
  readonly storeFindings: readonly string[];
  readonly drifts: number;
  /** Faults that could not be injected, in words. */
  readonly failedFaults: readonly string[];
  /** What a client was thrown that no client should see. */
  readonly surprises: readonly string[];
}

export interface Orphans {
  /** False where this machine does not let anyone look. */
  readonly isKnown: boolean;
  /** Processes of tasks that lived although every task was at its end. */
  readonly whileIdle: readonly Orphan[];
  /** Processes of the run that lived after it. */
  readonly afterEnd: readonly Orphan[];
}

/** How the cluster came to rest after the last fault. */
export interface Quiet {
  readonly boundMs: number;
  readonly tookMs: number;
  /** What it did not get done, in words; empty if it came to rest. */
  readonly left: readonly string[];
}

/** One attempt, from all witnesses. */
export interface Attempt {
  readonly task: string;
  readonly attempt: number;
  readonly starts: readonly LedgerFact[];
  readonly ends: readonly LedgerFact[];
  /** The entry that gave it to a worker. */
  readonly assigned: {
    readonly at: number;
    readonly epoch: number;
    readonly boot: string;
    readonly host: string;
  } | null;
  /** What the journal says became of it; null if nothing, or if the next attempt was there in the same entry. */
  readonly outcome: TaskStatus["state"] | null;
  /** When the journal gave it up; null if it never did. */
  readonly killedAt: number | null;
}

/** All attempts by `<task>/<attempt>`. */
export function attemptsOf({ facts, entries }: Pick<Evidence, "facts" | "entries">): Map<string, Attempt> {
  const attempts = new Map<string, ChangingAttempt>();
  const find = (task: string, attempt: number): ChangingAttempt => {
    const key = attemptKey(task as TaskId, attempt);
    let found = attempts.get(key);
    if (found === undefined) {
      found = { task, attempt, starts: [], ends: [], assigned: null, outcome: null, killedAt: null };
      attempts.set(key, found);
    }
    return found;
  };
  for (const fact of facts) {
    const found = find(fact.task, fact.attempt);
    (fact.kind === "started" ? found.starts : found.ends).push(fact);
  }
  const before = new Map<string, TaskStatus>();
  for (const { writes, at, epoch } of entries ?? []) {
    for (const write of writes) {
      if (write.kind !== "status") continue;
      const { status } = write;
      noteStatus(find, status, before.get(status.id), at, epoch);
      before.set(status.id, status);
    }
  }
  return attempts;
}

type ChangingAttempt = { -readonly [Key in keyof Attempt]: Attempt[Key] } & {
  starts: LedgerFact[];
  ends: LedgerFact[];
};

function noteStatus(
  find: (task: string, attempt: number) => ChangingAttempt,
  status: TaskStatus,
  before: TaskStatus | undefined,
  at: number,
  epoch: number,
): void {
  const isNext = status.attempt > (before?.attempt ?? 0);
  // The next attempt may begin in the very entry that ended the one before: then only the counts tell of its end.
  if (isNext && before !== undefined && before.attempt > 0) {
    const ended = find(status.id, before.attempt);
    if (status.kills > before.kills) Object.assign(ended, { outcome: "killed", killedAt: at });
    else if (status.failures > before.failures) ended.outcome = "failed";
  }
  if (status.attempt === 0) return;
  const current = find(status.id, status.attempt);
  if (status.state === "running") {
    const { boot = "", host = "" } = status;
    if (current.assigned === null) current.assigned = { at, epoch, boot, host };
    return;
  }
  if (status.kills > (before?.kills ?? 0)) current.killedAt = at;
  current.outcome = status.state === "retrying" ? "failed" : status.state;
}

/** The life of a worker by its boot, as far as anything that ran there tells it. */
export function livesByBoot({ facts, lives }: Pick<Evidence, "facts" | "lives">): ReadonlyMap<string, Life> {
  const byName = new Map(lives.map((life) => [`${life.process}#${life.number}`, life]));
  const found = new Map<string, Life>();
  for (const { boot, process, life } of facts) {
    const known = byName.get(`${process}#${life}`);
    if (known !== undefined) found.set(boot, known);
  }
  return found;
}
