/** What the scripts of simulated tasks may consist of. A script is the input of its task, so whoever reads a journal knows it. */
import type { Submission } from "../../model/submission.ts";
import type { TaskSpec } from "../../model/task.ts";

/** The kind of tasks that run a script; their input is the script. */
export const programKind = "program";

export type Operation =
  | { readonly step: string; readonly ms: number }
  | {
      readonly children: string;
      readonly tasks: readonly Submission[];
      readonly isStrict: boolean;
      readonly more: Bounds;
    }
  | { readonly sleep: string; readonly ms: number }
  | { readonly signal: string; readonly timeoutMs: number }
  /** Waits for a sleep and for a signal at once; see `keysOfBoth`. */
  | { readonly both: string; readonly ms: number; readonly timeoutMs: number }
  | { readonly submit: string; readonly task: Submission };

export interface Bounds {
  readonly onFailure: "wait" | "cancel";
  readonly failuresMax?: number;
  readonly concurrencyMax?: number;
}

/** The keys of the two waits of an operation that waits for both. */
export function keysOfBoth(both: string): { readonly slept: string; readonly signalled: string } {
  return { slept: `${both}.slept`, signalled: `${both}.signalled` };
}

/** The signals that a script waits for, by name. */
export function signalNames(operations: readonly Operation[]): string[] {
  return operations.flatMap((operation) => {
    if ("signal" in operation) return [operation.signal];
    return "both" in operation ? [keysOfBoth(operation.both).signalled] : [];
  });
}

/** The script of a task; null if it runs none. */
export function scriptOf({ kind, input }: Pick<TaskSpec, "kind" | "input">): readonly Operation[] | null {
  return kind === programKind ? (input as unknown as readonly Operation[]) : null;
}
