/** An instant as text in UTC, without `Date`: `2026-11-26T18:00:00Z`, with milliseconds only where there are any. */
import { day, hour, minute, second } from "../units.ts";

/** The calendar is computed as in https://howardhinnant.github.io/date_algorithms.html (civil_from_days). */
export function utcText(at: number): string {
  const days = Math.floor(at / day);
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const rest = at - days * day;
  const clock = [Math.floor(rest / hour), Math.floor((rest % hour) / minute), Math.floor((rest % minute) / second)];
  const ms = rest % second;
  const fraction = ms === 0 ? "" : `.${digits(ms, 3)}`;
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(dayOfMonth, 2)}T${clock.map((part) => digits(part, 2)).join(":")}${fraction}Z`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
