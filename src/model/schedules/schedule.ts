/** Schedules: when tasks are made by themselves, and what becomes of ticks that overlap or were missed. */
import type { TaskId } from "../ids.ts";
import type { Json, JsonObject } from "../json.ts";
import { limits } from "../limits.ts";
import type { Rights } from "../principals/principal.ts";
import { closed, duration, id, instant, limitKeyword, oneOf, type Schema, truth, whole } from "../schema.ts";
import type { Submission } from "../submission.ts";
import type { TemplateOrigin } from "../templates/template.ts";
import { utcText } from "./utcText.ts";

export type When =
  /** Five fields, or six with seconds first, in the time zone of the schedule. */
  | { readonly cron: string; readonly timeZone?: string }
  | { readonly everyMs: number; readonly from?: number }
  | { readonly at: number };

/** What happens to a tick while a task of an earlier tick has not ended. */
export const overlaps = ["allow", "skip", "queue", "cancel"] as const;
export type Overlap = (typeof overlaps)[number];
/** What happens to ticks whose time passed while no master led: none, the latest, or all of them run. */
export type Missed = "skip" | "latest" | "all";

/** What a user writes: a template with variables, or a task. */
export interface ScheduleContent {
  readonly description?: string;
  readonly when: When;
  readonly template?: string;
  readonly variables?: JsonObject;
  readonly task?: JsonObject;
  readonly overlap?: Overlap;
  readonly missed?: Missed;
  /** Missed ticks that are older than this are skipped. */
  readonly missedWindowMs?: number;
  /** Each tick starts up to so much later, by a hash of its id. */
  readonly jitterMs?: number;
  readonly startsAt?: number;
  readonly endsAt?: number;
  readonly isPaused?: boolean;
}

/**
 * Why a tick made no task. `edited` and `removed`: the schedule had no such tick when its time came, only after it was put again.
 */
export const skipReasons = [
  "overlap",
  "missed",
  "paused",
  "queue-full",
  "replaced",
  "refused",
  "edited",
  "removed",
] as const;

/** A tick, or several in a row, for which no task was made. No tick between `from` and `to`, both included, made one. */
export interface SkippedTicks {
  readonly from: number;
  readonly to: number;
  readonly reason: (typeof skipReasons)[number];
}

/** Instants, both included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The record of a schedule in the collection `schedules`. */
export interface ScheduleRecord {
  readonly name: string;
  readonly content: ScheduleContent;
  readonly fingerprint: string;
  /** What each tick runs. A template was expanded when the schedule was put. */
  readonly task: Submission;
  readonly origin?: TemplateOrigin;
  /** Of the one who put it; its tasks have the same. */
  readonly rights?: Rights;
  readonly changedAt: number;
  readonly isPaused: boolean;
  /** When a schedule of this name was put first: no tick at or before it was ever its own. */
  readonly sinceAt: number;
  /** The first tick after `settledAt`; null if none follows. */
  readonly nextAt: number | null;
  /** No tick at or before this instant is ever settled again: they have fired or were skipped. */
  readonly settledAt: number;
  /** Ticks that wait until a task of an earlier one has ended. */
  readonly queued: readonly number[];
  /** Tasks of ticks that have not ended, as far as overlaps matter. */
  readonly open: readonly TaskId[];
  readonly fired: number;
  /** The latest last. */
  readonly skipped: readonly SkippedTicks[];
  /** Where ticks of the past were made up for by `backfill`: nothing in there is made again. In order, apart from each other. */
  readonly backfilled: readonly Span[];
  /** The schedule was removed. The record stays, so that a new one of this name fires no tick again. */
  readonly isRemoved?: true;
}

/**
 * What only a calendar can tell. The leader asks it once for each tick and writes the answer into the record; only a new leader asks
 * again, for the next tick, so masters with other time zone data never disagree. It must depend on its arguments only.
 */
export interface Calendar {
  /** The first tick after an instant; null if there is none. */
  nextCron(cron: string, timeZone: string, after: number): number | null;
  /** What the clocks of a time zone show, for people: `2026-11-26 19:00:00 +01:00`. */
  localText(at: number, timeZone: string): string;
  /** How far a time zone is ahead of UTC at an instant. */
  offsetMs(at: number, timeZone: string): number;
}

/** In no id that a client chooses, so that nobody can take the place of a tick. */
export function tickId(schedule: string, tickAt: number): TaskId {
  return `${schedule}@${utcText(tickAt)}` as TaskId;
}

/** Between the name and what follows in the id of a task that was made by `trigger`. */
export const triggerMark = "trigger-";

/** The first tick of a schedule after an instant, with `startsAt` and `endsAt`; null if none follows. */
export function nextTick(content: ScheduleContent, after: number, calendar: Calendar): number | null {
  const { when, startsAt, endsAt } = content;
  const from = Math.max(after, (startsAt ?? 0) - 1);
  const tick = nextOf(when, from, calendar);
  return tick === null || tick > (endsAt ?? limits.instantMsMax) ? null : tick;
}

function nextOf(when: When, after: number, calendar: Calendar): number | null {
  if ("at" in when) return when.at > after ? when.at : null;
  if ("cron" in when) return calendar.nextCron(when.cron, when.timeZone ?? "UTC", after);
  const { everyMs, from = 0 } = when;
  return after < from ? from : from + (Math.floor((after - from) / everyMs) + 1) * everyMs;
}

const text = { type: "string", maxLength: limits.descriptionLengthMax, [limitKeyword]: "descriptionLengthMax" };

export const whenSchema: Schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    cron: {
      type: "string",
      minLength: 1,
      maxLength: limits.nameLengthMax,
      [limitKeyword]: "nameLengthMax",
      description: "Five fields, or six with seconds first.",
    },
    timeZone: {
      type: "string",
      minLength: 1,
      maxLength: limits.nameLengthMax,
      [limitKeyword]: "nameLengthMax",
      description: "Such as Europe/Berlin; UTC if left out.",
    },
    everyMs: whole(limits.tickMsMin, limits.durationMsMax, "durationMsMax"),
    from: instant,
    at: instant,
  },
  description: "One of `{ cron, timeZone? }`, `{ everyMs, from? }` and `{ at }`.",
};

export const scheduleSchema = closed(
  { when: whenSchema },
  {
    description: text,
    template: { ...id, description: "Its latest version at the time when the schedule is put." },
    variables: { type: "object", maxProperties: limits.variablesMax, [limitKeyword]: "variablesMax" },
    task: { type: "object", description: "Instead of a template: a submission without an id." },
    overlap: oneOf(overlaps, { default: "allow" }),
    missed: oneOf(["skip", "latest", "all"], { default: "latest" }),
    missedWindowMs: { ...duration, description: "Missed ticks that are older are skipped; one day if left out." },
    jitterMs: { ...duration, default: 0 },
    startsAt: instant,
    endsAt: instant,
    isPaused: { ...truth, default: false },
  },
  { examples: [{ when: { cron: "0 2 * * *", timeZone: "Europe/Berlin" }, template: "report" }] as Json[] },
);

/** Where no calendar was given, as in tests: no cron expression ever has a tick. */
export const noCalendar: Calendar = { nextCron: () => null, localText: utcText, offsetMs: () => 0 };

/** A schedule as the API shows it. */
export type ScheduleView = Omit<ScheduleRecord, "fingerprint" | "task" | "open" | "isRemoved" | "sinceAt">;

/** A tick of the past for which a task was made after all, or would be made. */
export interface BackfilledTick {
  readonly at: number;
  readonly id: TaskId;
}

/** A tick that is to come. */
export interface PreviewTick {
  readonly at: number;
  readonly utc: string;
  /** What the clocks of its time zone show, with the distance to UTC. */
  readonly local: string;
  /** The clocks are changed near this tick. */
  readonly clocks?: "go forward" | "go back";
}
