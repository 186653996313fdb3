/** The offsets of a real time zone over some years: every change of its clocks is looked for once, to the minute. */
import type { Offsets } from "./cronScanner.ts";

export interface ZoneOffsets {
  readonly offsets: Offsets;
  /** Instants from which on the clocks show another offset, ascending. */
  readonly changes: readonly number[];
}

const minuteMs = 60_000;
/** Shorter than any two changes are apart. */
const probeMs = 6 * 3_600_000;

export function zoneOffsets(timeZone: string, from: number, to: number): ZoneOffsets {
  const read = offsetReader(timeZone);
  const changes: number[] = [];
  const values = [read(from)];
  for (let at = from; at < to; at += probeMs) {
    const after = read(at + probeMs);
    if (after === values.at(-1)) continue;
    changes.push(changeBetween(read, at, at + probeMs));
    values.push(after);
  }
  return { changes, offsets: lookUp(changes, values) };
}

function changeBetween(read: Offsets, from: number, to: number): number {
  let before = from;
  let after = to;
  while (after - before > minuteMs) {
    const middle = before + Math.floor((after - before) / 2 / minuteMs) * minuteMs;
    if (read(middle) === read(from)) before = middle;
    else after = middle;
  }
  return after;
}

/** Whoever scans asks for one instant after the other, so the last place is mostly the right one. */
function lookUp(changes: readonly number[], values: readonly number[]): Offsets {
  let index = 0;
  return (at) => {
    while (index > 0 && at < (changes[index - 1] ?? 0)) index -= 1;
    while (index < changes.length && at >= (changes[index] ?? 0)) index += 1;
    return values[index] ?? 0;
  };
}

/** As `Intl` names it: `GMT+05:45`, `GMT`. */
function offsetReader(timeZone: string): Offsets {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  return (at) => {
    const name = format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
    const match = /^GMT(?:([+-])(\d{2}):(\d{2}))?$/.exec(name);
    if (match === null) throw new Error(`${timeZone} is at ${name} at ${at}: not whole minutes from UTC.`);
    const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
    return (match[1] === "-" ? -minutes : minutes) * minuteMs;
  };
}
