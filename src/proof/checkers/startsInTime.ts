/** I22: no task starts before its instant, by the wall clock of the master that starts it: not on a jump that is taken back. */
import { checker } from "./checker.ts";
import type { History, LandedEntry, LedgerEvent } from "./ledger.ts";
import { appendOf, eventsOf, once, specs, stepsByTask } from "./reading.ts";

/** Instants are whole milliseconds, and a decision is made a little before its entry is handed over. */
const slackMs = 5;
const followedMsMax = 60_000;
/** Since when instants of the simulated world count; see the clock of the simulator. */
const worldBeganAt = 1_700_000_000_000;

type ClockSet = Extract<LedgerEvent, { kind: "clock-set" }>;

export const startsInTime = checker("I22", "nothing starts before its instant", (history, report) => {
  const { clockSettleMs, driftMax } = history.conditions;
  if (clockSettleMs === undefined) return;
  // A machine counts this time by its own clock, which may run fast.
  const settleMs = clockSettleMs / (1 + driftMax);
  for (const [task, steps] of stepsByTask(history)) {
    const created = specs(history).get(task);
    const startAt = created?.spec.startAt ?? null;
    const first = steps.find(({ status }) => status.state === "running");
    if (created === undefined || startAt === null || first === undefined) continue;
    const append = appendOf(history, first.entry);
    if (append === undefined) continue;
    // Once its instant was there the task stands in line, also if the clock is set back before it has a worker.
    const node = nodeOf(append.life);
    const since = decidedSince(history, created.entry);
    const sets = (clockSets(history).get(node) ?? []).filter(({ at }) => at > since && at < append.at);
    const shownAt = Math.max(
      ...[append.at, ...sets.map(({ at }) => at - 0.001)].map((at) => wallAt(history, append.life, at, settleMs)),
    );
    if (shownAt < startAt - slackMs)
      report(`task ${task} was started ${Math.round(startAt - shownAt)} ms before its instant`, task);
  }
});

/** When this entry can have been decided first: a leader does so while the one before it is being committed, which may take long. */
export function decidedSince(history: History, { seq, epoch, landedAt }: LandedEntry): number {
  return appendOf(history, { seq: seq - 1, epoch })?.at ?? landedAt;
}

/** The most that a master's wall clock can be taken to show at true time `at`; steps forward count once they have stood. */
export function wallAt(history: History, life: string, at: number, settleMs: number): number {
  const sets = clockSets(history).get(nodeOf(life)) ?? [];
  const now = sets.findLast((set) => set.at <= at);
  if (now === undefined) return Number.POSITIVE_INFINITY;
  // A process takes the wall clock as it is when it starts.
  const startedAt = eventsOf(history, "start").find((start) => start.life === life)?.at ?? 0;
  // The settling is measured by a clock that drifts alike.
  const from = Math.max(startedAt, at - settleMs / (1 + now.drift) + slackMs);
  const before = sets.findLast((set) => set.at <= from);
  const within = sets.filter((set) => set.at > from && set.at < at);
  const offsets = [before, ...within, now].map((set) => set?.offsetMs ?? now.offsetMs);
  // Differences of less than a minute are caught up at once or slowly, also before a longer step that has not stood yet.
  const leastMs = Math.min(...offsets);
  const offsetMs = Math.max(
    ...offsets.filter((each) => each - leastMs <= followedMsMax),
    ...stoodBefore(sets, startedAt, at, settleMs),
  );
  return worldBeganAt + at * (1 + now.drift) + Math.min(now.offsetMs, offsetMs);
}

/**
 * The offsets that the process has followed: the one that it found, and those that stood long enough. A step forward that only takes a step
 * back away agrees with the time that has passed, and counts at once.
 */
function stoodBefore(sets: readonly ClockSet[], startedAt: number, at: number, settleMs: number): number[] {
  return sets.flatMap(({ at: from, offsetMs, drift }, index) => {
    const to = Math.min(sets[index + 1]?.at ?? at, at);
    const hasStood = from <= startedAt ? to > startedAt : to - from >= settleMs / (1 + drift);
    return hasStood ? [offsetMs] : [];
  });
}

function nodeOf(life: string): string {
  return life.slice(0, life.indexOf("#"));
}

const clockSets = once(
  (history): ReadonlyMap<string, ClockSet[]> => Map.groupBy(eventsOf(history, "clock-set"), (set) => set.node),
);
