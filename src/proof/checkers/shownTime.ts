/** What a master's wall clock can be taken to show at most: steps forward count once they have stood, and nothing counts that it never saw. */
import type { History, LedgerEvent } from "./ledger.ts";
import { eventsOf, once } from "./reading.ts";

const followedMsMax = 60_000;
/** Instants are whole milliseconds. */
const slackMs = 5;
/** Since when instants of the simulated world count; see the clock of the simulator. */
const worldBeganAt = 1_700_000_000_000;

type ClockSet = Extract<LedgerEvent, { kind: "clock-set" }>;
interface Pause {
  readonly at: number;
  readonly order: number;
  readonly resumedOrder: number;
}

/** The most that a master's wall clock can be taken to show at true time `at`. */
export function wallAt(history: History, life: string, at: number, settleMs: number): number {
  const sets = clockSetsOf(history, life);
  const now = sets.findLast((set) => set.at <= at);
  if (now === undefined) return Number.POSITIVE_INFINITY;
  // A process takes the wall clock as it is when it starts.
  const startedAt = eventsOf(history, "start").find((start) => start.life === life)?.at ?? 0;
  // The settling is measured by a clock that drifts alike.
  const span = { startedAt, stoodMs: settleMs / (1 + now.drift) };
  const hidden = hiddenSets(sets, pausesOf(history, life));
  const offsets = offsetsWithin(asKnown(sets, hidden, span), at, span);
  // Differences of less than a minute are caught up at once or slowly, also before a longer step that has not stood yet.
  const leastMs = Math.min(...offsets);
  const offsetMs = Math.max(
    ...offsets.filter((each) => each - leastMs <= followedMsMax),
    ...stoodBefore(sets, hidden, at, span),
  );
  return worldBeganAt + at * (1 + now.drift) + Math.min(now.offsetMs, offsetMs);
}

/** How the wall clock was set on the machine of this master. */
export function clockSetsOf(history: History, life: string): readonly ClockSet[] {
  return clockSets(history).get(life.slice(0, life.indexOf("#"))) ?? [];
}

const clockSets = once(
  (history): ReadonlyMap<string, ClockSet[]> => Map.groupBy(eventsOf(history, "clock-set"), (set) => set.node),
);

interface Span {
  readonly startedAt: number;
  readonly stoodMs: number;
}

/** What the clock was ahead within the last time in which a step has to stand. */
function offsetsWithin(sets: readonly ClockSet[], at: number, { startedAt, stoodMs }: Span): number[] {
  const from = Math.max(startedAt, at - stoodMs + slackMs);
  const before = sets.findLast((set) => set.at <= from);
  const now = sets.findLast((set) => set.at <= at);
  const isWithin = (set: ClockSet): boolean => set === before || set === now || (set.at > from && set.at < at);
  return sets.filter(isWithin).map(({ offsetMs }) => offsetMs);
}

/**
 * The sets as the process can know of them. One that came and went while it was paused was never seen: a step back takes nothing from what the
 * process knew before the pause. What had not stood by then is no better for it, and still counts as what it would fall back to.
 */
function asKnown(sets: readonly ClockSet[], hidden: ReadonlyMap<ClockSet, Pause>, span: Span): readonly ClockSet[] {
  const known: ClockSet[] = [];
  for (const set of sets) {
    const pause = hidden.get(set);
    if (pause === undefined) {
      known.push(set);
      continue;
    }
    const before = known.filter(({ order }) => order < pause.order);
    const knewMs = Math.min(...offsetsWithin(before, pause.at, span));
    known.push({ ...set, offsetMs: Number.isFinite(knewMs) ? Math.max(set.offsetMs, knewMs) : set.offsetMs });
  }
  return known;
}

/**
 * The offsets that the process has followed: the one that it found, and those that stood long enough. A step forward that only takes a step
 * back away agrees with the time that has passed, and counts at once.
 */
function stoodBefore(
  sets: readonly ClockSet[],
  hidden: ReadonlyMap<ClockSet, Pause>,
  at: number,
  { startedAt, stoodMs }: Span,
): number[] {
  return sets.flatMap((set, index) => {
    const to = Math.min(sets[index + 1]?.at ?? at, at);
    const hasStood = set.at <= startedAt ? to > startedAt : to - set.at >= stoodMs;
    return hasStood && !hidden.has(set) ? [set.offsetMs] : [];
  });
}

/** The sets that were over before the process could look at its clock again. */
function hiddenSets(sets: readonly ClockSet[], pauses: readonly Pause[]): ReadonlyMap<ClockSet, Pause> {
  const hidden = new Map<ClockSet, Pause>();
  sets.forEach((set, index) => {
    const endOrder = sets[index + 1]?.order ?? Number.POSITIVE_INFINITY;
    const pause = pauses.find(({ order, resumedOrder }) => order < set.order && endOrder < resumedOrder);
    if (pause !== undefined) hidden.set(set, pause);
  });
  return hidden;
}

function pausesOf(history: History, life: string): Pause[] {
  const resumes = eventsOf(history, "resume").filter((event) => event.life === life);
  return eventsOf(history, "pause").flatMap(({ life: paused, at, order }) => {
    if (paused !== life) return [];
    const resumedOrder = resumes.find((event) => event.order > order)?.order ?? Number.POSITIVE_INFINITY;
    return [{ at, order, resumedOrder }];
  });
}
