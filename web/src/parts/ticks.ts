/** What stands along the axes of charts: steps that read well, and instants as exact as their steps. */
import { durationText } from "./time.tsx";

/** 1, 2, 5, 10, 20 and so on: things that are counted have no halves. */
export const countSteps: readonly number[] = Array.from({ length: 13 }, (_, zeros) =>
  [1, 2, 5].map((digit) => digit * 10 ** zeros),
).flat();

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** In ms. */
export const durationSteps: readonly number[] = [
  ...countSteps.filter((ms) => ms <= 10 * second),
  ...[15, 30].map((seconds) => seconds * second),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672].map((hours) => hours * hour),
];

/** In ms, along a logarithmic axis: each reads well by itself. */
export const durationMarks: readonly number[] = [
  ...[1, 10, 100, second, 10 * second],
  ...[minute, 10 * minute, hour, 10 * hour],
  ...[4, 40, 400].map((days) => days * 24 * hour),
];

/** `1 s`: what stands along an axis is round, so that it has no digits after a point that say nothing. */
export function markText(ms: number): string {
  return durationText(ms).replace(".0 ", " ");
}

/** The part of such marks that holds two values; both have a place even where one mark or none would hold them. */
export function marksAround(marks: readonly number[], least: number, largest: number): readonly number[] {
  const last = Math.max(
    1,
    marks.findIndex((mark) => mark >= largest),
  );
  const to = largest > (marks.at(-1) ?? 0) ? marks.length - 1 : last;
  const from = marks.findLastIndex((mark) => mark <= least);
  return marks.slice(Math.max(0, Math.min(from, to - 1)), to + 1);
}

/** In ms, for a chart of what happened in each second or minute. */
export const timeSteps: readonly number[] = durationSteps.filter((ms) => ms >= second);

const finest = clockOf({ second: "2-digit", fractionalSecondDigits: 3 });
const exact = clockOf({ second: "2-digit" });
const coarse = clockOf({});

function clockOf(more: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...more });
}

/** `14:05`, `14:05:30` or `14:05:30.250`, as short as the steps are: all labels of an axis are alike. */
export function clockText(at: number, stepMs: number): string {
  return (stepMs < second ? finest : stepMs < minute ? exact : coarse).format(at);
}

/** The indices of values without a neighbour: no line leads to them. */
export function lonelyValues(values: readonly (number | null | undefined)[]): number[] {
  const isThere = (index: number) => values[index] !== null && values[index] !== undefined;
  return [...values.keys()].filter((index) => isThere(index) && !isThere(index - 1) && !isThere(index + 1));
}
