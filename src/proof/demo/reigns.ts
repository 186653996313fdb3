/** Who led when, and what became of the lead when the leader died: read from the journal and from the lives of the masters. */
import type { Life } from "../cluster/lives.ts";
import { clockSlackMs } from "../cluster/record.ts";
import type { Evidence } from "./evidence.ts";

export interface Reign {
  readonly epoch: number;
  /** When its marker was appended. */
  readonly from: number;
  readonly process: string;
  /** The life that led; undefined if none of that process fits the time of the marker. */
  readonly life: Life | undefined;
}

/** A leader that died while it led. */
export interface LeaderDeath {
  readonly dead: Reign;
  readonly at: number;
  /** Null if nobody has led since. */
  readonly next: Reign | null;
  /** True if another master was ready when it died, and lived until somebody led again. */
  readonly hadStandby: boolean;
  /** When the next leader assigned its first new attempt; null if it had nothing to assign, or nobody to assign it to. */
  readonly assignedAt: number | null;
}

export function reigns({ markers, masters, lives }: Pick<Evidence, "markers" | "masters" | "lives">): Reign[] {
  return markers.map(({ epoch, at, address }) => {
    const process = masters.get(address) ?? address;
    const life = lives.findLast(
      (other) =>
        other.process === process &&
        other.startedAt <= at + clockSlackMs &&
        (other.endedAt === null || other.endedAt >= at - clockSlackMs),
    );
    return { epoch, from: at, process, life };
  });
}

export function leaderDeaths(evidence: Evidence): LeaderDeath[] {
  const all = reigns(evidence);
  const assigned = firstAssignments(evidence);
  return all.flatMap((dead, index) => {
    const at = dead.life?.endedAt ?? null;
    if (at === null || dead.life?.cause === "stopped") return [];
    const next = all[index + 1] ?? null;
    // Somebody else had taken its place before it died.
    if (next !== null && next.from < at - clockSlackMs) return [];
    const hadStandby = evidence.lives.some(
      (life) =>
        life.role === "master" &&
        life !== dead.life &&
        life.readyAt !== null &&
        life.readyAt <= at &&
        (life.endedAt === null || life.endedAt >= (next?.from ?? Number.POSITIVE_INFINITY)),
    );
    return [{ dead, at, next, hadStandby, assignedAt: assigned.get(next?.epoch ?? -1) ?? null }];
  });
}

/** When each epoch's first new attempt was assigned. */
function firstAssignments({ journal }: Evidence): Map<number, number> {
  const first = new Map<number, number>();
  const attempts = new Map<string, number>();
  for (const { task, epoch, state, attempt, at } of journal) {
    if (state === "running" && attempt > (attempts.get(task) ?? 0) && !first.has(epoch)) first.set(epoch, at);
    attempts.set(task, attempt);
  }
  return first;
}
