/** Runs one seed, twice unless told otherwise, and says in a few figures what came of it. */
import { simulate } from "../../src/proof/simulation/simulate.ts";
import { tellStory } from "../../src/proof/simulation/story.ts";

/** What one seed's run tells the parent process. */
export interface SeedReport {
  readonly seed: number;
  /** The kind of world: store and masters. */
  readonly world: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly tasks: number;
  readonly faults: readonly [string, number][];
  readonly coverage: readonly [string, number][];
  /** A failing seed's whole text; null if all is well. */
  readonly failure: { readonly invariants: readonly string[]; readonly text: string } | null;
}

/** @param isOnce leaves out the second run, which only proves determinism */
export async function runSeed(seed: number, isOnce: boolean): Promise<SeedReport> {
  const result = await simulate(seed);
  let { violations } = result;
  if (!isOnce) {
    const again = await simulate(seed, { isChecked: false });
    if (again.traceHash !== result.traceHash) {
      const message = `two runs of the seed differ (${result.traceHash} and ${again.traceHash}): something is not deterministic`;
      violations = [...violations, { invariant: "none", message, subjects: [] }];
    }
  }
  const failure =
    violations.length === 0
      ? null
      : {
          invariants: [...new Set(violations.map((violation) => violation.invariant))],
          text: await tellStory(result, violations),
        };
  return {
    seed,
    world: `${result.knobs.store} store, ${result.knobs.masters} masters`,
    simulatedMs: result.simulatedMs,
    events: result.events,
    tasks: result.history.final.documents.size,
    faults: [...result.faults],
    coverage: [...result.coverage],
    failure,
  };
}
