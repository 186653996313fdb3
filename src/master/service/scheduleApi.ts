/** What a master offers for schedules; a part of `MasterApi`. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { Json } from "../../model/json.ts";
import type { PreviewTick, ScheduleView } from "../../model/schedules/schedule.ts";

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

export interface ScheduleApi {
  /** Ticks that are due happen first, by what the schedule says until then. Rejects with `invalid`. */
  put(name: string, content: Json): Promise<PutScheduleAnswer>;
  remove(name: string): Promise<void>;
  setPaused(name: string, isPaused: boolean): Promise<void>;
  list(after: string | null, limit: number): Promise<SchedulePage>;
  read(name: string): Promise<ScheduleView>;
  /** Runs its task now. With a key, a repeated call finds the same task. */
  trigger(name: string, key: string | null): Promise<SubmittedTask>;
  /** The next ticks of a schedule that need not be there. */
  preview(content: Json, count: number): Promise<readonly PreviewTick[]>;
}
