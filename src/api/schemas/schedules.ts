/** Schemas of schedules. */
import { limits } from "../../model/limits.ts";
import { scheduleSchema, skipReasons } from "../../model/schedules/schedule.ts";
import {
  closed,
  count,
  id,
  instant,
  list,
  oneOf,
  open,
  orNull,
  ref,
  taskId,
  text,
  truth,
  whole,
} from "../../model/schema.ts";

export const scheduleSchemas = {
  Schedule: scheduleSchema,
  SchedulePut: open({
    name: id,
    nextAt: { ...orNull(instant), description: "The next tick; null if none follows." },
    isNew: { ...truth, description: "False if the schedule said the same before." },
  }),
  SkippedTicks: open(
    {
      from: instant,
      to: instant,
      reason: oneOf(skipReasons),
    },
    {},
    { description: "A tick, or several in a row, for which no task was made." },
  ),
  ScheduleView: open(
    {
      name: id,
      content: ref("Schedule"),
      changedAt: instant,
      isPaused: truth,
      nextAt: orNull(instant),
      settledAt: { type: "integer", description: "No tick at or before this instant will ever be settled again." },
      queued: list(instant),
      fired: count,
      skipped: list(ref("SkippedTicks")),
      backfilled: list(open({ from: instant, to: instant }), {
        description: "Where ticks of the past were made up for.",
      }),
    },
    { origin: ref("TemplateOrigin") },
  ),
  SchedulePage: open({
    schedules: list(ref("ScheduleView")),
    cursor: { type: ["string", "null"], description: "Send it to get the next page; null at the end." },
  }),
  ScheduleRemoved: open({ name: id, isRemoved: { const: true } }),
  SchedulePaused: open({ name: id, isPaused: truth }),
  SchedulePreview: closed(
    { schedule: ref("Schedule") },
    {
      count: whole(1, limits.previewTicksMax, "previewTicksMax", { default: 10 }),
      from: { ...instant, description: "The first instant; ticks from now on if it is left out." },
      name: { ...id, description: "Of a schedule whose past tasks tell how long the next ones may take." },
    },
  ),
  ScheduleBackfill: closed(
    { from: instant },
    {
      to: {
        ...instant,
        description: "Included. Ticks that have yet to be settled happen by themselves, and are left out.",
      },
      isDryRun: { ...truth, default: false, description: "True: say what would be done, and change nothing." },
    },
  ),
  ScheduleBackfilled: open({
    ticks: list(open({ at: instant, id: taskId }), { description: "Ticks for which a task was made." }),
    nextFrom: { ...orNull(instant), description: "Ask again from here; null at the end." },
  }),
  ScheduleTicks: open({
    ticks: list(
      open(
        { at: instant, utc: text, local: { ...text, description: "In the time zone of the schedule." } },
        { clocks: oneOf(["go forward", "go back"], { description: "The clocks are changed within three hours." }) },
      ),
    ),
    warnings: list(text, {
      description: "Sentences for people, such as that past tasks took longer than from tick to tick.",
    }),
  }),
};
