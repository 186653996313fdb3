/**
 * A slow second opinion on cron expressions: looks at every minute, or every second, one after the other, and asks what the clocks
 * of a place show. It shares no code with the calendar that it is compared with.
 *
 * The rule on changes of the clocks is that of docs/schedules.md. An expression with fixed times has its ticks where a local time
 * comes for the first time; a local time that is left out counts at the end of the gap, if that is on the same day. Any other
 * expression has a tick whenever the clocks show a time that matches.
 */

/** By how much the clocks of a place are ahead of UTC at an instant, in ms; a multiple of the scanner's step. */
export type Offsets = (at: number) => number;

interface Pattern {
  readonly second: readonly boolean[];
  readonly minute: readonly boolean[];
  readonly hour: readonly boolean[];
  readonly day: readonly boolean[];
  readonly month: readonly boolean[];
  readonly weekday: readonly boolean[];
  /** Both are restricted: one of them is enough. */
  readonly isEitherDay: boolean;
  readonly isFixed: boolean;
}

const dayMs = 86_400_000;

export class CronScanner {
  readonly #pattern: Pattern;
  readonly #offsets: Offsets;
  readonly #stepMs: number;
  readonly #lookBackMs: number;

  /** @param lookBackMs longer than any stretch of time that a change of the clocks repeats or leaves out */
  constructor(cron: string, offsets: Offsets, stepMs: 1000 | 60_000, lookBackMs: number) {
    this.#pattern = read(cron);
    this.#offsets = offsets;
    this.#stepMs = stepMs;
    this.#lookBackMs = lookBackMs;
  }

  /** Every tick after `after` up to and including `until`, ascending. */
  *ticks(after: number, until: number): Generator<number, void, undefined> {
    const step = this.#stepMs;
    const first = Math.floor((after - this.#lookBackMs) / step) * step;
    let localBefore = first + this.#offsets(first);
    /** The latest time that the clocks have shown: what is not later has been there before. */
    let shown = localBefore;
    for (let at = first + step; at <= until; at += step) {
      const local = at + this.#offsets(at);
      const isTick = this.#pattern.isFixed ? this.#isFirst(localBefore, shown, local) : matches(this.#pattern, local);
      if (isTick && at > after) yield at;
      localBefore = local;
      shown = Math.max(shown, local);
    }
  }

  /** The first tick after an instant; null if there is none within `withinMs`. */
  next(after: number, withinMs: number): number | null {
    for (const tick of this.ticks(after, after + withinMs)) return tick;
    return null;
  }

  /** A fixed time that comes now for the first time, or that was left out just before, on this day. */
  #isFirst(localBefore: number, shown: number, local: number): boolean {
    if (local > shown && matches(this.#pattern, local)) return true;
    const today = Math.floor(local / dayMs);
    for (let missing = localBefore + this.#stepMs; missing < local; missing += this.#stepMs) {
      if (missing > shown && Math.floor(missing / dayMs) === today && matches(this.#pattern, missing)) return true;
    }
    return false;
  }
}

function matches(pattern: Pattern, local: number): boolean {
  const days = Math.floor(local / dayMs);
  const seconds = Math.floor((local - days * dayMs) / 1000);
  if (pattern.second[seconds % 60] !== true) return false;
  if (pattern.minute[Math.floor(seconds / 60) % 60] !== true) return false;
  if (pattern.hour[Math.floor(seconds / 3600)] !== true) return false;
  // Date tells the calendar of UTC only, which has no changes of clocks.
  const date = new Date(days * dayMs);
  if (pattern.month[date.getUTCMonth() + 1] !== true) return false;
  const isDay = pattern.day[date.getUTCDate()] === true;
  const isWeekday = pattern.weekday[date.getUTCDay()] === true;
  return pattern.isEitherDay ? isDay || isWeekday : isDay && isWeekday;
}

/** Numbers, ranges, lists, `*` and steps behind `*` or a range; five fields, or six with seconds first. */
function read(cron: string): Pattern {
  const fields = cron.trim().split(/\s+/);
  const [second = "0", minute = "*", hour = "*", day = "*", month = "*", weekday = "*"] =
    fields.length === 5 ? ["0", ...fields] : fields;
  const weekdays = valuesOf(weekday, 0, 7);
  return {
    second: valuesOf(second, 0, 59),
    minute: valuesOf(minute, 0, 59),
    hour: valuesOf(hour, 0, 23),
    day: valuesOf(day, 1, 31),
    month: valuesOf(month, 1, 12),
    weekday: weekdays.map((is, index) => is || (index === 0 && weekdays[7] === true)),
    isEitherDay: day !== "*" && weekday !== "*",
    isFixed: !/[*/]/.test(second + minute + hour),
  };
}

function valuesOf(field: string, min: number, max: number): boolean[] {
  const values = Array.from({ length: max + 1 }, () => false);
  for (const item of field.split(",")) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(item);
    if (match === null) throw new Error(`The scanner cannot read "${item}".`);
    const from = match[1] === undefined ? min : Number(match[1]);
    const to = match[1] === undefined ? max : Number(match[2] ?? match[1]);
    for (let value = from; value <= to; value += Number(match[3] ?? 1)) values[value] = true;
  }
  return values;
}
