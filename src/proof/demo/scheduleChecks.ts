/** What the schedule act promises: one task for each tick, made in its time, whichever leader died on it. */

import { formatDuration } from "../../cli/duration.ts";
import type { ScheduleView } from "../../model/schedules/schedule.ts";
import type { TaskDocument } from "../../model/task.ts";
import { type Check, result } from "./check.ts";
import type { Journal } from "./witness.ts";

export interface ScheduleEvidence {
  readonly name: string;
  /** The instants of its ticks, in ms since 1970. */
  readonly ticks: readonly number[];
  readonly schedule: ScheduleView;
  readonly documents: readonly TaskDocument[];
  readonly journal: Journal;
  /** When a leader was shot, by the clock of this machine, which is that of the masters. */
  readonly shotAt: readonly number[];
}

/** A tick and the shot at its leader are one moment within this. */
const momentMs = 250;
/** Later than this a tick counts as missed. */
const lateMsMax = 60_000;

export function checkSchedule(evidence: ScheduleEvidence): readonly Check[] {
  const { name, ticks, schedule, documents, journal, shotAt } = evidence;
  const byTick = Map.groupBy(documents, (task) => task.schedule?.tickAt ?? -1);
  const missing = ticks.filter((tick) => !byTick.has(tick)).map((tick) => `The tick of ${iso(tick)} made no task.`);
  const other = documents
    .filter((task) => task.schedule?.name !== name || !ticks.includes(task.schedule.tickAt))
    .map(({ id }) => `${id} belongs to no tick.`);
  const double = [...byTick].filter(([, tasks]) => tasks.length > 1).map(([tick]) => `${iso(tick)} made two tasks.`);
  const ends = Map.groupBy(
    journal.changes.filter(({ state }) => state === "success"),
    ({ task }) => task,
  );
  const twice = [...ends].filter(([, changes]) => changes.length > 1).map(([task]) => `${task} succeeded twice.`);
  const skipped = schedule.skipped.map(
    ({ from, to, reason }) => `Ticks from ${iso(from)} to ${iso(to)} were skipped: ${reason}.`,
  );
  const miscounted = schedule.fired === ticks.length ? [] : [`The schedule counts ${schedule.fired} tasks.`];
  const early = documents.filter((task) => task.createdAt < (task.schedule?.tickAt ?? 0));
  const lateness = documents
    .map((task) => task.createdAt - (task.schedule?.tickAt ?? 0))
    .sort((one, next) => one - next);
  const failed = documents.filter(({ state }) => state !== "success");
  const onTick = shotAt.filter((at) => ticks.some((tick) => Math.abs(tick - at) <= momentMs));
  const epochs = new Set(journal.markers.map(({ epoch }) => epoch));
  const led = epochs.size - 1;
  return [
    result(
      "ticks-once",
      "Each tick made exactly one task",
      ticks.length,
      `${ticks.length} ticks, ${documents.length} tasks`,
      [...missing, ...other, ...double, ...twice],
    ),
    result(
      "ticks-told",
      "The schedule says so itself, and skipped nothing",
      schedule.fired,
      `${schedule.fired} fired`,
      [...skipped, ...miscounted],
    ),
    result(
      "ticks-in-time",
      "No task was made before its tick, nor missed it",
      documents.length,
      `${formatDuration(lateness[Math.floor(lateness.length / 2)] ?? 0)} late in the middle, ${formatDuration(lateness.at(-1) ?? 0)} at most`,
      [
        ...early.map(({ id }) => `${id} was made before its tick.`),
        ...((lateness.at(-1) ?? 0) > lateMsMax ? [`A tick was ${formatDuration(lateness.at(-1) ?? 0)} late.`] : []),
      ],
    ),
    result(
      "all-success",
      "Every task is success",
      documents.length,
      `${documents.length - failed.length} of ${documents.length}`,
      failed.map(({ id, state }) => `${id} is ${state}.`),
    ),
    result(
      "leaders-shot",
      "After each shot another master led",
      shotAt.length,
      `${shotAt.length} leaders shot, ${onTick.length} of them on a tick; ${led} elections after the first`,
      led < shotAt.length ? [`${shotAt.length} leaders were shot, and only ${led} elections followed.`] : [],
    ),
  ];
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
