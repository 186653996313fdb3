/** What may be taken away from a seed's world, so that a failing one becomes small enough to be understood, and can be kept. */
import { defaults } from "../../model/limits.ts";
import { type FaultKind, faultKinds, type Knobs } from "./knobs.ts";

/** Plain JSON: what is given here stands in place of what the seed has drawn. */
export interface Changes {
  /** Only these faults happen. */
  readonly faults?: readonly FaultKind[];
  readonly unsafeMs?: number;
  readonly tasks?: number;
  readonly schedules?: number;
  readonly taskMsMax?: number;
  readonly masters?: number;
  readonly workers?: number;
  readonly clients?: number;
  readonly followers?: number;
  /** These chances are nought. */
  readonly without?: readonly Chance[];
  /** The journal and finished tasks are kept for as long as in life. */
  readonly keepsAll?: boolean;
}

const chances = [
  "resetChance",
  "duplicateChance",
  "lateChance",
  "unknownChance",
  "latencyMsMax",
  "clockOffsetMsMax",
  "masterClockOffsetMsMax",
  "clockDriftMax",
  "relayChance",
] as const;
type Chance = (typeof chances)[number];

export function changeKnobs(knobs: Knobs, changes: Changes): Knobs {
  const { faults = faultKinds, without = [], keepsAll = false, ...counts } = changes;
  const { journalMs, retentionMs, finishedTasksMax } = defaults;
  return {
    ...knobs,
    ...counts,
    ...Object.fromEntries(without.map((chance) => [chance, 0])),
    faultEveryMs: new Map([...knobs.faultEveryMs].filter(([kind]) => faults.includes(kind))),
    ...(keepsAll ? { isForgetful: false, master: { ...knobs.master, journalMs, retentionMs, finishedTasksMax } } : {}),
  };
}

/** Every way to make this world a little smaller, the largest steps first. */
export function* smaller(knobs: Knobs, changes: Changes): Generator<Changes> {
  const left = changeKnobs(knobs, changes);
  const kinds = [...left.faultEveryMs.keys()];
  if (kinds.length > 2) {
    yield { ...changes, faults: kinds.slice(0, kinds.length / 2) };
    yield { ...changes, faults: kinds.slice(kinds.length / 2) };
  }
  for (const kind of kinds) yield { ...changes, faults: kinds.filter((other) => other !== kind) };
  yield* fewer(left, changes);
  for (const chance of chances) {
    if (left[chance] > 0) yield { ...changes, without: [...(changes.without ?? []), chance] };
  }
  if (left.master.journalMs !== defaults.journalMs || left.isForgetful) yield { ...changes, keepsAll: true };
}

const least = { unsafeMs: 1_000, tasks: 1, schedules: 0, masters: 1, workers: 1, clients: 1, followers: 0 } as const;

function* fewer(left: Knobs, changes: Changes): Generator<Changes> {
  for (const name of ["unsafeMs", "tasks", "schedules", "followers", "workers", "clients", "masters"] as const) {
    const now = left[name];
    for (const next of [Math.ceil(now / 2), Math.floor(now * 0.8), now - 1]) {
      if (next < now && next >= least[name]) yield { ...changes, [name]: next };
    }
  }
}
