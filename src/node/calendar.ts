/** The calendar behind schedules: croner reads cron expressions, and the time zone data of Node says what the clocks show. */
import { Cron } from "croner";
import { OutlastError } from "../model/errors.ts";
import { limits } from "../model/limits.ts";
import type { Calendar } from "../model/schedules/schedule.ts";
import { minute } from "../model/units.ts";

export class SystemCalendar implements Calendar {
  readonly #crons = new Map<string, Cron>();

  nextCron(cron: string, timeZone: string, after: number): number | null {
    const key = `${timeZone} ${cron}`;
    const known = this.#crons.get(key) ?? toCron(cron, timeZone);
    if (this.#crons.size < limits.schedulesMax) this.#crons.set(key, known);
    return known.nextRun(new Date(after))?.getTime() ?? null;
  }

  localText(at: number, timeZone: string): string {
    const offset = this.offsetMs(at, timeZone);
    const sign = offset < 0 ? "-" : "+";
    const minutes = Math.round(Math.abs(offset) / minute);
    const digits = (value: number): string => String(value).padStart(2, "0");
    const clock = new Date(at + offset).toISOString().slice(0, 19).replace("T", " ");
    return `${clock} ${sign}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
  }

  offsetMs(at: number, timeZone: string): number {
    checkZone(timeZone);
    const parts = Object.fromEntries(
      new Intl.DateTimeFormat("en-u-hc-h23", {
        timeZone,
        ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
      })
        .formatToParts(at)
        .map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute: minutes = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minutes, second) - Math.floor(at / 1000) * 1000;
  }
}

/** @throws OutlastError `invalid` */
function toCron(cron: string, timeZone: string): Cron {
  const fields = cron.trim().split(/\s+/).length;
  const isNickname = /^@\w+$/.test(cron.trim());
  if (!isNickname && (fields < 5 || fields > 6)) {
    throw new OutlastError(
      "invalid",
      `A cron expression has five fields, or six with seconds first; this one has ${fields}.`,
      {
        path: "/when/cron",
      },
    );
  }
  checkZone(timeZone);
  try {
    // Fixed times are those without a wildcard or a step, as in Vixie cron: `30 2,14 * * *` happens once on each day, whatever the clocks do.
    return new Cron(cron, { timezone: timeZone, paused: true, fixedTimeRule: "no-wildcard" });
  } catch {
    const problems = problemsOf(cron.trim().split(/\s+/));
    throw new OutlastError("invalid", `The cron expression ${JSON.stringify(cron)} cannot be read: ${problems}.`, {
      path: "/when/cron",
      hint: "A field is *, a number, a range such as 1-5, a list such as 1,15, or a step such as */10.",
    });
  }
}

const fieldNames = [
  "second (0 to 59)",
  "minute (0 to 59)",
  "hour (0 to 23)",
  "day of the month (1 to 31)",
  "month (1 to 12, or JAN to DEC)",
  "day of the week (0 to 7, or SUN to SAT)",
];

/** Which fields cannot be read: each is tried by itself. */
function problemsOf(fields: readonly string[]): string {
  const names = fieldNames.slice(fieldNames.length - fields.length);
  const problems = fields.flatMap((field, index) => {
    const alone = fields.map((_, place) => (place === index ? field : "*")).join(" ");
    return isReadable(alone) ? [] : [`${JSON.stringify(field)} cannot be the ${names[index]}`];
  });
  return problems.length === 0 ? "unknown form" : problems.join(", and ");
}

function isReadable(cron: string): boolean {
  try {
    new Cron(cron, { paused: true });
    return true;
  } catch {
    return false;
  }
}

function checkZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    throw new OutlastError("invalid", `Unknown time zone ${JSON.stringify(timeZone.slice(0, 80))}.`, {
      path: "/when/timeZone",
      hint: "Use a name such as Europe/Berlin or UTC.",
    });
  }
}
