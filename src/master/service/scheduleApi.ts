/** What a master offers for schedules; a part of `MasterApi`. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { Json } from "../../model/json.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { BackfilledTick, PreviewTick, ScheduleView } from "../../model/schedules/schedule.ts";

export interface PutScheduleAnswer {
  readonly name: string;
  readonly nextAt: number | null;
  readonly isNew: boolean;
}

export interface SchedulePage {
  readonly schedules: readonly ScheduleView[];
  /** Give it back as `after` to get the next page; null at the end. */
  readonly cursor: string | null;
}

export interface Backfill {
  /** Instants, both included. Ticks that have yet to be settled happen by themselves. */
  readonly from: number;
  readonly to: number;
  /** Says what it would do, and changes nothing. */
  readonly isDryRun: boolean;
}

/** What one call of a backfill has done. */
export interface BackfillAnswer {
  readonly ticks: readonly BackfilledTick[];
  /** Ask again from here; null at the end. */
  readonly nextFrom: number | null;
}

/** What is asked for of a preview. */
export interface Preview {
  readonly count: number;
  /** The first instant; ticks from now on if it is left out. */
  readonly from?: number;
  /** Of a schedule whose past tasks tell how long the next ones may take. */
  readonly name?: string;
}

export interface SchedulePreview {
  readonly ticks: readonly PreviewTick[];
  /** Sentences for people. */
  readonly warnings: readonly string[];
}

export interface ScheduleApi {
  /** Ticks that are due happen first, by what the schedule says until then. Rejects with `invalid`. */
  put(name: string, content: Json, by?: Actor): Promise<PutScheduleAnswer>;
  remove(name: string, by?: Actor): Promise<void>;
  setPaused(name: string, isPaused: boolean, by?: Actor): Promise<void>;
  list(after: string | null, limit: number, by?: Actor): Promise<SchedulePage>;
  read(name: string, by?: Actor): Promise<ScheduleView>;
  /** Runs its task now. With a key, a repeated call finds the same task. */
  trigger(name: string, key: string | null, by?: Actor): Promise<SubmittedTask>;
  /** Makes the tasks of past ticks that have none, a bounded part of them. */
  backfill(name: string, backfill: Backfill, by?: Actor): Promise<BackfillAnswer>;
  /** The next ticks of a schedule that need not be there. */
  preview(content: Json, preview: Preview, by?: Actor): Promise<SchedulePreview>;
}
