/** The stages of `npm test`: in which order they run, and which of them run side by side. */

/** Simulated clusters in every run; `npm run sim -- --seeds N` runs more of them. */
const seeds = 300;

export interface Stage {
  /** A script of package.json. */
  readonly script: string;
  /** Where its counts come from: nowhere, vitest's JSON report, or the simulator's `N seeds in …` and `N seeds FAILED`. */
  readonly counts: "none" | "report" | "seeds";
  readonly arguments: readonly string[];
  /**
   * True for a stage that only computes, so that it may run at a low priority. It uses the processor time that the
   * stages with real processes leave over while they wait, and cannot delay these.
   */
  readonly isBackground: boolean;
  /** True for a stage that not every machine can run: it runs where it is named, or with `OUTLAST_TEST_DEPLOY`. */
  readonly isOnDemand?: boolean;
}

/** Stages that run one after the other. */
export type Lane = readonly Stage[];

/** The lanes of one phase run side by side. The next phase begins when all of them have ended. */
export const phases: readonly (readonly Lane[])[] = [
  [
    [check("types"), check("format:check"), check("layers"), check("house"), check("documents")],
    [check("lint"), check("dead-code"), check("build")],
  ],
  [
    [computing("unit"), computing("contracts"), computing("scenarios"), computing("simulation"), simulator()],
    // Not in two lanes: on two cores they then slowed each other down, by more than that had saved.
    [processes("e2e"), processes("browser"), processes("integration")],
  ],
  // Alone: its clusters in containers judge how soon a leader is replaced. It needs root and a container engine.
  [[{ ...processes("test:deploy"), isOnDemand: true }]],
];

function check(script: string): Stage {
  return { script, counts: "none", arguments: [], isBackground: false };
}

function computing(script: string): Stage {
  return { script, counts: "report", arguments: [], isBackground: true };
}

function processes(script: string): Stage {
  return { script, counts: "report", arguments: [], isBackground: false };
}

function simulator(): Stage {
  return { script: "sim", counts: "seeds", arguments: ["--seeds", String(seeds)], isBackground: true };
}
