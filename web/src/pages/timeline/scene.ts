/** What a timeline shows, and where in it everything stands. */
import type { Mark } from "../../api/schema.ts";
import type { PathPart } from "./criticalPath.ts";
import type { Lane, PlacedAttempt } from "./lanes.ts";

export const gutter = 120;
export const axisHeight = 38;
/** The middle of the row with the times, and of the one with the epochs, in the axis. */
export const clockRow = 12;
export const epochRow = 29;
export const rowHeight = 16;
const rowGap = 2;
export const lanePadding = 7;

export interface View {
  /** What is shown, in ms since 1970. */
  readonly from: number;
  readonly to: number;
}

/** From the upper left corner of the drawing. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Scene {
  readonly lanes: readonly Lane[];
  readonly marks: readonly Mark[];
  /** Drawn above all else; what is not on it stands back. */
  readonly path: readonly PathPart[];
  readonly view: View;
  readonly width: number;
  readonly now: number;
  readonly hovered: PlacedAttempt | null;
}

export function laneHeight({ rows }: Lane): number {
  return rows * (rowHeight + rowGap) - rowGap + 2 * lanePadding;
}

export function heightOf(lanes: readonly Lane[]): number {
  return axisHeight + lanes.reduce((sum, lane) => sum + laneHeight(lane), 0);
}

export function xOf(at: number, { view, width }: Pick<Scene, "view" | "width">): number {
  return gutter + ((at - view.from) / (view.to - view.from)) * (width - gutter);
}

/** The instant at a place; what is left of the lanes' names counts as the first one. */
export function instantAt(x: number, { view, width }: Pick<Scene, "view" | "width">): number {
  return view.from + (Math.max(0, x - gutter) / Math.max(1, width - gutter)) * (view.to - view.from);
}

/** @param top of its lane */
export function barTop({ row }: PlacedAttempt, top: number): number {
  return top + lanePadding + row * (rowHeight + rowGap);
}

/** The attempt at a point; null if there is none. */
export function attemptAt({ x, y }: Point, scene: Pick<Scene, "lanes" | "view" | "width">): PlacedAttempt | null {
  let top = axisHeight;
  for (const lane of scene.lanes) {
    const bottom = top + laneHeight(lane);
    if (y >= top && y < bottom) {
      const row = Math.floor((y - top - lanePadding) / (rowHeight + rowGap));
      const isUnder = (placed: PlacedAttempt) =>
        placed.row === row &&
        x >= xOf(placed.from, scene) - 2 &&
        x <= Math.max(xOf(placed.to, scene), xOf(placed.from, scene) + 3) + 2;
      return lane.attempts.findLast(isUnder) ?? null;
    }
    top = bottom;
  }
  return null;
}
