/** Draws the critical path over the bars: what is on it in a frame, and a line from each attempt to the one that waited for it. */
import type { Colours } from "./draw.ts";
import { axisHeight, barTop, gutter, laneHeight, rowHeight, type Scene, xOf } from "./scene.ts";

interface Place {
  readonly from: number;
  readonly to: number;
  readonly top: number;
}

export function drawPath(context: CanvasRenderingContext2D, scene: Scene, colour: Colours): void {
  const places = placesOf(scene);
  if (places.length === 0) return;
  context.save();
  context.beginPath();
  context.rect(gutter, axisHeight, scene.width - gutter, context.canvas.height);
  context.clip();
  context.strokeStyle = colour("--text");
  context.lineWidth = 2;
  for (const { from, to, top } of places) {
    context.beginPath();
    context.roundRect(from, top, Math.max(3, to - from - 1), rowHeight, Math.min(3, (to - from) / 3));
    context.stroke();
  }
  context.lineWidth = 1.5;
  context.setLineDash([3, 3]);
  for (const [index, place] of places.entries()) {
    const next = places[index + 1];
    if (next === undefined) break;
    const y = place.top + rowHeight / 2;
    context.beginPath();
    context.moveTo(place.to, y);
    context.lineTo(next.from, y);
    context.lineTo(next.from, next.top + (next.top < place.top ? rowHeight : 0));
    context.stroke();
  }
  context.restore();
}

/** Where the attempts of the path stand; of each only the time that is on it. */
function placesOf(scene: Scene): readonly Place[] {
  const tops = new Map<object, number>();
  let top = axisHeight;
  for (const lane of scene.lanes) {
    for (const placed of lane.attempts) tops.set(placed.attempt, barTop(placed, top));
    top += laneHeight(lane);
  }
  return scene.path.flatMap(({ attempt, from, to }) => {
    const at = attempt === null ? undefined : tops.get(attempt);
    return at === undefined ? [] : [{ from: xOf(from, scene), to: xOf(to, scene), top: at }];
  });
}
