/** A schedule as a form: what its fields hold, and the schedule that they come to. */
import type { Schedule } from "../../api/schema.ts";
import { durationField, durationMsOf, taskOf, UnreadableField } from "../../parts/fieldTexts.ts";

export const overlaps = ["allow", "skip", "queue", "cancel"] as const;
export const misses = ["skip", "latest", "all"] as const;
export const whens = ["cron", "every", "once"] as const;

/** What the fields hold, all of it text. */
export interface Draft {
  /** Empty for none. */
  readonly description: string;
  readonly when: (typeof whens)[number];
  readonly cron: string;
  readonly timeZone: string;
  /** A number and a unit: `90s`, `15m`, `2h`, `1d`. */
  readonly every: string;
  /** As fields of type `datetime-local` have it: `2026-11-27T02:30`. */
  readonly at: string;
  /** Empty for a task of its own. */
  readonly template: string;
  /** JSON of the task, where there is no template. */
  readonly task: string;
  readonly overlap: (typeof overlaps)[number];
  readonly missed: (typeof misses)[number];
}

const exampleTask = { kind: "exec", input: { command: ["echo", "hello"] } };

/** What the fields hold at first: of a schedule that is there, or of a new one in the viewer's own time zone. */
export function draftOf(schedule: Schedule | null, ownTimeZone: string): Draft {
  const { when = {}, template = "", task, overlap = "allow", missed = "latest" } = schedule ?? {};
  return {
    description: schedule?.description ?? "",
    when: when.everyMs !== undefined ? "every" : when.at !== undefined ? "once" : "cron",
    cron: when.cron ?? "0 2 * * *",
    timeZone: schedule === null ? ownTimeZone : (when.timeZone ?? "UTC"),
    every: when.everyMs === undefined ? "15m" : durationField(when.everyMs),
    at: when.at === undefined ? "" : localField(when.at),
    template,
    task: JSON.stringify(task ?? exampleTask, null, 2),
    overlap,
    missed,
  };
}

/**
 * The schedule to put. What the form has no field for stays as it was before.
 * @param variables of the template; ignored without one
 * @throws UnreadableField
 */
export function scheduleOf(draft: Draft, variables: object, before: Schedule | null): Schedule {
  const {
    task: _task,
    template: _template,
    variables: _variables,
    description: _description,
    ...rest
  } = before ?? { when: {} };
  const runs = draft.template === "" ? { task: taskOf(draft.task) } : { template: draft.template, variables };
  const { description, overlap, missed } = draft;
  const said = description === "" ? {} : { description };
  return { ...rest, ...said, ...runs, when: whenOf(draft, before), overlap, missed };
}

function whenOf({ when, cron, timeZone, every, at }: Draft, before: Schedule | null): Schedule["when"] {
  if (when === "cron") return { cron, ...(timeZone === "" ? {} : { timeZone }) };
  if (when === "every") {
    const from = before?.when.from;
    return { everyMs: durationMsOf(every, "The distance of ticks"), ...(from === undefined ? {} : { from }) };
  }
  const instant = new Date(at).getTime();
  if (Number.isNaN(instant)) throw new UnreadableField("Say at which time it shall run.");
  return { at: instant };
}

/** An instant in the viewer's time, to the minute, as fields of type `datetime-local` take it. */
export function localField(at: number): string {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
