/** What a run left behind: what was asked for, what the journal says, and what the processes wrote down themselves. */
import type { Json } from "../../model/json.ts";
import type { TaskDocument, TaskState } from "../../model/task.ts";
import type { LedgerFact } from "../cluster/attemptLines.ts";
import type { LeaderFact } from "../cluster/leaderLines.ts";
import type { Life } from "../cluster/lives.ts";

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
  readonly failures: number;
  readonly kills: number;
  readonly output?: Json;
  readonly host: string | null;
  readonly boot: string | null;
}

/** The first entry of an epoch, from the journal: from here on its writer leads. */
export interface Marker {
  readonly seq: number;
  readonly epoch: number;
  readonly at: number;
  /** Base URL of the new leader. */
  readonly address: string;
}

export interface Evidence {
  readonly asked: readonly AskedTask[];
  readonly documents: readonly TaskDocument[];
  /** In the order of the journal. */
  readonly journal: readonly JournalChange[];
  /** In the order of the journal. */
  readonly markers: readonly Marker[];
  readonly ledger: readonly LedgerFact[];
  readonly leaderFacts: readonly LeaderFact[];
  readonly lives: readonly Life[];
  /** What the masters are called, by their base URLs. */
  readonly masters: ReadonlyMap<string, string>;
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
