/** The limits of a queue as they are shown, typed and sent. */
import type { Queue } from "../../api/schema.ts";
import { durationField, durationMsOf, UnreadableField } from "../../parts/fieldTexts.ts";

type Limits = Pick<Queue, "concurrencyMax" | "rate">;

const number = new Intl.NumberFormat();
const defaultPer = "1m";

export interface LimitFields {
  readonly concurrencyMax: string;
  /** Of the rate. */
  readonly count: string;
  readonly per: string;
}

/** One text for each limit; none where there is no limit. */
export function limitTexts({ concurrencyMax, rate }: Limits): string[] {
  return [
    ...(concurrencyMax === undefined ? [] : [`${number.format(concurrencyMax)} at a time`]),
    ...(rate === undefined ? [] : [`${number.format(rate.count)} in ${durationField(rate.perMs)}`]),
  ];
}

export function limitFields({ concurrencyMax, rate }: Limits): LimitFields {
  return {
    concurrencyMax: concurrencyMax === undefined ? "" : String(concurrencyMax),
    count: rate === undefined ? "" : String(rate.count),
    per: rate === undefined ? defaultPer : durationField(rate.perMs),
  };
}

/** Empty fields take a limit away. @throws UnreadableField */
export function limitsOf({ concurrencyMax, count, per }: LimitFields) {
  return {
    concurrencyMax: concurrencyMax.trim() === "" ? null : countOf(concurrencyMax, "“Running at a time”"),
    rate: count.trim() === "" ? null : { count: countOf(count, "“Started”"), perMs: durationMsOf(per, "“In each”") },
  };
}

function countOf(text: string, name: string): number {
  if (/^\s*[1-9]\d*\s*$/.test(text)) return Number(text);
  throw new UnreadableField(`${name} is a whole number from 1 on, or empty for no limit.`);
}
