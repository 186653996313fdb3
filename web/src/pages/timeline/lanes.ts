/** Attempts laid out in lanes: one for each worker, with as many rows as it ran attempts at a time. */
import type { TaskAttempt } from "../../api/schema.ts";
import type { IsDying } from "./dying.ts";

export interface PlacedAttempt {
  readonly attempt: TaskAttempt;
  /** Counted from the top of its lane. */
  readonly row: number;
  readonly from: number;
  /** When its process ended; the present, while it runs or is still ending. */
  readonly to: number;
  /** When it was over for the leader, where its process went on, or may have; null for all others. */
  readonly overAt: number | null;
}

export interface Lane {
  readonly worker: string;
  readonly rows: number;
  readonly attempts: readonly PlacedAttempt[];
}

/** Each attempt goes into the first row that is free when it begins. */
export function lanesOf(
  attempts: readonly TaskAttempt[],
  workers: readonly string[],
  now: number,
  isDying: IsDying = () => false,
): readonly Lane[] {
  const byWorker = Map.groupBy(attempts, ({ worker }) => worker);
  const names = [...new Set([...workers, ...byWorker.keys()])].toSorted((a, b) =>
    a.localeCompare(b, undefined, { numeric: true }),
  );
  return names.map((worker) => {
    const ends: number[] = [];
    const placed = (byWorker.get(worker) ?? [])
      .toSorted((a, b) => a.assignedAt - b.assignedAt)
      .map((attempt): PlacedAttempt => {
        const from = attempt.assignedAt;
        const overAt = Math.max(from, attempt.endedAt ?? now);
        const to = Math.max(overAt, processEndOf(attempt, isDying, now));
        const free = ends.findIndex((end) => end <= from);
        const row = free < 0 ? ends.length : free;
        ends[row] = to;
        return { attempt, row, from, to, overAt: to > overAt ? overAt : null };
      });
    return { worker, rows: Math.max(1, ends.length), attempts: placed };
  });
}

function processEndOf(attempt: TaskAttempt, isDying: IsDying, now: number): number {
  const { endedAt, processEndedAt } = attempt;
  return processEndedAt ?? (endedAt !== undefined && isDying(attempt) ? now : (endedAt ?? now));
}
