/**
 * What the scheduler is made of: modules that share one state. A module takes some of the inputs, applies some of the records,
 * and does what is due by itself. A new feature is a new module and a line in the list in scheduler.ts.
 */
import type { Write } from "../../model/entry.ts";
import type { Batch } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { LiveTask } from "./liveTask.ts";
import type { SchedulerState } from "./state.ts";

type InputKind = SchedulerInput["kind"];
type WriteKind = Write["kind"];

/** One function for each kind of input that a module takes. */
export type Inputs<Kinds extends InputKind = InputKind> = {
  readonly [Kind in Kinds]: (
    state: SchedulerState,
    batch: Batch,
    input: Extract<SchedulerInput, { kind: Kind }>,
  ) => void;
};

/** One function for each kind of write that a module applies. It puts a committed record in its place and decides nothing. */
export type Applies<Kinds extends WriteKind = WriteKind> = {
  readonly [Kind in Kinds]: (state: SchedulerState, write: Extract<Write, { kind: Kind }>, now: number) => void;
};

export interface SchedulerModule {
  readonly inputs?: Partial<Inputs>;
  readonly applies?: Partial<Applies>;
  /**
   * The master leads from now on: what the records say of this unfinished task becomes what is under way. It writes nothing. All modules
   * take up one task before the next, since a look at each of a million tasks takes longer than what is done with it.
   */
  takeUp?(state: SchedulerState, batch: Batch, task: LiveTask): void;
  /** The same for all but tasks, which have all been taken up by then. */
  activate?(state: SchedulerState, batch: Batch): void;
  /** Closes a batch: what is due by now happens. Modules are called in the order of the list. */
  step?(state: SchedulerState, batch: Batch): void;
  /** When something is due by itself; null if nothing is. */
  nextWakeAt?(state: SchedulerState): number | null;
}

/** True if what is due by now, but can wait, must be left to the next batch. */
export function isFull({ out }: Batch): boolean {
  return out.isFull?.() === true;
}
