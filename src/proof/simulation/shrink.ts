/** Makes a failing seed's world smaller, step by step, as long as it still breaks the same promise. */
import { type Changes, smaller } from "./changes.ts";
import { drawKnobs } from "./knobs.ts";
import { simulate } from "./simulate.ts";

export interface Shrunk {
  readonly changes: Changes;
  /** The promise that it breaks, before and after. */
  readonly invariant: string;
  readonly runs: number;
}

/** @param runsMax how many smaller worlds are tried at most. @returns null if the seed does not fail at all */
export async function shrink(seed: number, runsMax: number, tell: (changes: Changes) => void): Promise<Shrunk | null> {
  const knobs = drawKnobs(seed);
  const [first] = (await simulate(seed)).violations;
  if (first === undefined) return null;
  const { invariant } = first;
  let changes: Changes = {};
  let runs = 0;
  for (let isSmaller = true; isSmaller && runs < runsMax; ) {
    isSmaller = false;
    for (const next of smaller(knobs, changes)) {
      if (runs >= runsMax) break;
      runs += 1;
      const { violations } = await simulate(seed, { changes: next });
      if (!violations.some((violation) => violation.invariant === invariant)) continue;
      changes = next;
      isSmaller = true;
      tell(changes);
      break;
    }
  }
  return { changes, invariant, runs };
}
