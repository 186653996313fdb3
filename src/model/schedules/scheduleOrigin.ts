/** What a task remembers of the schedule that has made it. */

/** Where a task comes from that a schedule has made. */
export interface ScheduleOrigin {
  readonly name: string;
  /** The instant of the tick. Jitter and waiting make the task later, not the tick. */
  readonly tickAt: number;
  /** A `backfill` has made it, long after its tick. */
  readonly isBackfilled?: true;
}
