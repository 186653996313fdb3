/** Durations and instants as people write and read them: `250ms`, `1h30m`, `+10m`, `2027-01-31T08:00Z`. */
import { formatDuration, parseDuration } from "../model/durationText.ts";
import { limits } from "../model/limits.ts";

/**
 * An ISO date and time (in the zone of this machine if it names none), or `+` and a duration from now.
 * @returns ms since 1970
 * @throws Error with a sentence for the user
 */
export function parseInstant(text: string, now: number): number {
  const trimmed = text.trim();
  if (trimmed.startsWith("+")) return now + parseDuration(trimmed.slice(1));
  const match = /^(\d{4})-(\d{2})-(\d{2})[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/.exec(trimmed);
  const at = match === null ? Number.NaN : Date.parse(trimmed.replace(" ", "T"));
  if (match === null || Number.isNaN(at) || !isRealDay(Number(match[1]), Number(match[2]), Number(match[3]))) {
    throw new Error(
      "A time is written as 2027-01-31T08:00:00Z (or without the Z for this machine's zone), or as +10m from now.",
    );
  }
  if (at < limits.instantMsMin || at > limits.instantMsMax) throw new Error("That time is out of range: 1970 to 2200.");
  return at;
}

/** Refuses dates such as 30 February, which Date would turn into 2 March. */
function isRealDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** In the zone of this machine, to the second. */
export function formatInstant(at: number): string {
  const date = new Date(at);
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  );
}

/** The same, with the distance to UTC: `2027-01-31 08:00:00 +01:00`. */
export function formatInstantWithOffset(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset();
  const offset = `${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${formatInstant(at)} ${minutes < 0 ? "-" : "+"}${offset}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export { formatDuration, parseDuration };
