/** Instants and durations as people read them; the exact instant shows on hover. */
import { useSyncExternalStore } from "react";
import { SharedClock } from "./sharedClock.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const clock = new SharedClock();

/** The time, at most a second old; what uses it is drawn again every second. */
export function useNow(): number {
  return useSyncExternalStore(clock.subscribe, clock.now);
}

/** `850 ms`, `12.4 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < second) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * second) return `${(ms / second).toFixed(1)} s`;
  if (ms < minute) return `${Math.floor(ms / second)} s`;
  if (ms < hour) return two(ms, minute, "m", second, "s");
  if (ms < day) return two(ms, hour, "h", minute, "m");
  return two(ms, day, "d", hour, "h");
}

function two(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? "" : ` ${rest} ${smallName}`}`;
}

export function agoText(at: number, from: number): string {
  const ms = from - at;
  if (Math.abs(ms) < 2 * second) return "now";
  return ms > 0 ? `${coarse(ms)} ago` : `in ${until(-ms)}`;
}

/** Further away than this, hours say nothing. */
const untilHoursMax = 10 * day;

/** Finer than for what is past: ticks of a schedule that are minutes apart must not read alike. */
function until(ms: number): string {
  if (ms < hour) return coarse(ms);
  if (ms < day) return two(ms, hour, "h", minute, "min");
  return ms < untilHoursMax ? two(ms, day, "d", hour, "h") : `${Math.round(ms / day)} d`;
}

function coarse(ms: number): string {
  if (ms < minute) return `${Math.floor(ms / second)} s`;
  if (ms < hour) return `${Math.floor(ms / minute)} min`;
  if (ms < 2 * day) return `${Math.floor(ms / hour)} h`;
  return `${Math.floor(ms / day)} d`;
}

const exact = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "long",
});

export function exactText(at: number): string {
  return `${exact.format(at)} · ${new Date(at).toISOString()}`;
}

export function Ago({ at }: { readonly at: number }) {
  const from = useNow();
  return (
    <time dateTime={new Date(at).toISOString()} title={exactText(at)} className="whitespace-nowrap">
      {agoText(at, from)}
    </time>
  );
}

/** From one instant to another, or to now while it lasts. */
export function Lasted({ from, to }: { readonly from: number; readonly to?: number | undefined }) {
  const until = useNow();
  return <span className="figures whitespace-nowrap">{durationText(Math.max(0, (to ?? until) - from))}</span>;
}
