/** The timeline of a run as plain numbers: what the report holds, and what its page draws. */

/** What became of an attempt, in the order of `outcomes`. */
export const outcomes = ["success", "failed", "cut off", "ended late", "aborted"] as const;

/** All instants in ms since the run began; spans are `[from, to, …]`. */
export interface TimelineData {
  readonly endMs: number;
  /** When faults were injected. */
  readonly storm: readonly [number, number];
  readonly lanes: readonly Lane[];
  /** Tasks acknowledged in each step of time. */
  readonly flow: { readonly stepMs: number; readonly counts: readonly number[] };
  readonly tasks: readonly string[];
  readonly outcomes: readonly string[];
}

export interface Lane {
  readonly name: string;
  readonly role: "master" | "worker" | "client" | "store";
  /** How many attempts can stand above each other. */
  readonly rows: number;
  /** Third: 1 if it was killed. */
  readonly lives: readonly (readonly [number, number, number])[];
  /** Third: the epoch that it led. */
  readonly terms: readonly (readonly [number, number, number])[];
  readonly pauses: readonly (readonly [number, number])[];
  /** Row, outcome, task, number of the attempt. */
  readonly attempts: readonly (readonly [number, number, number, number, number, number])[];
  /** Troubles of its link or of the disk: kind, and what to say. */
  readonly troubles: readonly (readonly [number, number, string, string])[];
  /** Faults at one instant: kind, and what to say. */
  readonly marks: readonly (readonly [number, string, string])[];
}
