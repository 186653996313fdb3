/** The period that a timeline shows, and how it moves and zooms: what is pointed at stays under the pointer. */
import type { View } from "./scene.ts";

export interface Period {
  readonly spanMs: number;
  /** When it ends; null while it follows the present. */
  readonly end: number | null;
}

export const spanMsMin = 2_000;
export const spanMsMax = 7 * 86_400_000;

/** Of its span, what a period that follows the present shows after it. */
const ahead = 0.02;
/** Who zooms as close to the present as this, of the span, goes on following it. */
const nearPresent = 0.05;
/** The shortest step in which attempts are asked for. */
const stepMsMin = 5_000;

export function viewOf({ spanMs, end }: Period, now: number): View {
  const to = end ?? now + spanMs * ahead;
  return { from: to - spanMs, to };
}

/** Later than the present it does not move: there it follows. */
export function movedPeriod(period: Period, byMs: number, now: number): Period {
  const end = viewOf(period, now).to + byMs;
  return { ...period, end: byMs > 0 && end >= now ? null : end };
}

/** @param at the instant that keeps its place, unless it is the present that is followed */
export function zoomedPeriod(period: Period, factor: number, at: number, now: number): Period {
  const { from, to } = zoomed(viewOf(period, now), factor, at);
  const isAtPresent = period.end === null && at >= now - period.spanMs * nearPresent;
  return { spanMs: to - from, end: isAtPresent ? null : to };
}

/** @param at the instant that keeps its place */
export function zoomed({ from, to }: View, factor: number, at: number): View {
  const before = to - from;
  const spanMs = Math.min(spanMsMax, Math.max(spanMsMin, before * factor));
  const start = at - ((at - from) / before) * spanMs;
  return { from: start, to: start + spanMs };
}

/**
 * What is asked for to show a view, in whole ms: somewhat more than it, and in steps, so that neither following the
 * present nor each notch of a wheel asks anew.
 */
export function askedFor({ from, to }: View): View {
  const steps = Math.max(1, (to - from) / 4 / stepMsMin);
  const stepMs = stepMsMin * 2 ** Math.ceil(Math.log2(steps));
  return {
    from: Math.max(0, Math.floor((from - stepMs) / stepMs) * stepMs),
    to: Math.ceil(to / stepMs) * stepMs,
  };
}
