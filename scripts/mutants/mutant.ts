/** What a planted bug is: a small patch to the source, in a scratch copy only. */

import type { Feature } from "../../src/proof/simulation/knobs.ts";

export interface Mutant {
  /** Says what the broken code does; `real` marks bugs that a seed once found, with that seed. */
  readonly name: string;
  /** Mostly one; two where a second line of defence would hide the bug. */
  readonly patches: readonly Patch[];
  /** What a simulated world must have for it to show; the hunt leaves out worlds that lack one of these. */
  readonly having?: readonly Feature[];
}

/** These bugs show only where a world has a feature. */
export function having(feature: Feature, mutants: readonly Mutant[]): readonly Mutant[] {
  return mutants.map((mutant) => ({ ...mutant, having: [...(mutant.having ?? []), feature] }));
}

export interface Patch {
  /** Path from the root of the project. */
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly search: string;
  readonly replace: string;
}
