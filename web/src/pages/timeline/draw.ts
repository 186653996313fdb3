/** Draws the timeline: lanes, bars by outcome, and marks. */
import type { Attempt } from "../../api/schema.ts";
import { resolvedColour } from "../../parts/colours.ts";
import { clockText, durationSteps } from "../../parts/ticks.ts";
import { drawPath } from "./drawPath.ts";
import { type EpochLine, epochLabels } from "./epochLabels.ts";
import type { Lane, PlacedAttempt } from "./lanes.ts";
import { colourOf } from "./outcome.ts";
import {
  axisHeight,
  barTop,
  clockRow,
  epochRow,
  gutter,
  heightOf,
  laneHeight,
  rowHeight,
  type Scene,
  xOf,
} from "./scene.ts";

const font = '11px "Inter Variable", sans-serif';

export function draw(canvas: HTMLCanvasElement, scene: Scene): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { width, lanes } = scene;
  const height = heightOf(lanes);
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.height = `${height}px`;
  context.scale(scale, scale);
  context.font = font;
  context.textBaseline = "middle";
  const colour = colours();
  drawAxis(context, scene, height, colour);
  let top = axisHeight;
  const onPath = new Set(scene.path.flatMap(({ attempt }) => attempt ?? []));
  for (const lane of lanes) {
    drawLane(context, scene, lane, top, { colour, onPath });
    top += laneHeight(lane);
  }
  drawPath(context, scene, colour);
  drawMarks(context, scene, height, colour);
}

export type Colours = (name: string) => string;

interface Look {
  readonly colour: Colours;
  /** Attempts of the critical path; none where there is no path. */
  readonly onPath: ReadonlySet<Attempt>;
}

/** Each colour is looked up once per drawing. */
function colours(): Colours {
  const known = new Map<string, string>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const value = resolvedColour(name);
    known.set(name, value);
    return value;
  };
}

function drawAxis(context: CanvasRenderingContext2D, scene: Scene, height: number, colour: Colours): void {
  const { view, width } = scene;
  const wanted = (view.to - view.from) / Math.max(2, (width - gutter) / 90);
  const stepMs = durationSteps.find((step) => step >= wanted) ?? 86_400_000;
  context.textAlign = "center";
  for (let at = Math.ceil(view.from / stepMs) * stepMs; at <= view.to; at += stepMs) {
    const x = xOf(at, scene);
    context.fillStyle = colour("--line");
    context.fillRect(x, axisHeight, 1, height - axisHeight);
    context.fillStyle = colour("--muted");
    const text = clockText(at, stepMs);
    // The last one stays inside.
    context.fillText(text, Math.min(x, width - context.measureText(text).width / 2 - 4), clockRow);
  }
}

function drawLane(context: CanvasRenderingContext2D, scene: Scene, lane: Lane, top: number, look: Look): void {
  const { width } = scene;
  const { colour } = look;
  context.fillStyle = colour("--line");
  context.fillRect(0, top, width, 1);
  context.textAlign = "left";
  context.fillStyle = colour("--soft");
  context.fillText(lane.worker, 16, top + laneHeight(lane) / 2, gutter - 24);
  context.save();
  context.beginPath();
  context.rect(gutter, top, width - gutter, laneHeight(lane));
  context.clip();
  for (const placed of lane.attempts) drawBar(context, scene, placed, top, look);
  context.restore();
}

function drawBar(
  context: CanvasRenderingContext2D,
  scene: Scene,
  placed: PlacedAttempt,
  top: number,
  { colour, onPath }: Look,
): void {
  const from = xOf(placed.from, scene);
  const to = Math.max(from + 3, xOf(placed.to, scene));
  if (to < gutter || from > scene.width) return;
  const y = barTop(placed, top);
  const fill = colour(colourOf(placed.attempt.outcome));
  const isBehind = onPath.size > 0 && !onPath.has(placed.attempt);
  const over = placed.overAt === null ? to : Math.max(from + 3, xOf(placed.overAt, scene));
  context.globalAlpha = placed === scene.hovered ? 1 : isBehind ? 0.35 : 0.8;
  context.fillStyle = fill;
  context.beginPath();
  context.roundRect(from, y, over - from - 1, rowHeight, Math.min(3, (over - from) / 3));
  context.fill();
  context.globalAlpha = 1;
  if (placed.overAt !== null) drawEnding(context, { from: over, to, y }, fill);
  if (placed.attempt.outcome === "killed") drawCross(context, over - 1, y + rowHeight / 2, fill);
  if (over - from < 50) return;
  // What stands back is hardly coloured: there, the text of the page is what can be read.
  context.fillStyle = colour(isBehind && placed !== scene.hovered ? "--text" : "--surface");
  context.save();
  context.beginPath();
  context.rect(Math.max(gutter, from), y, over - Math.max(gutter, from) - 6, rowHeight);
  context.clip();
  context.fillText(placed.attempt.name, Math.max(gutter, from) + 5, y + rowHeight / 2 + 0.5);
  context.restore();
}

/** The time in which an attempt was over and its process went on, or may have: a frame, hatched. */
function drawEnding(
  context: CanvasRenderingContext2D,
  { from, to, y }: { readonly from: number; readonly to: number; readonly y: number },
  stroke: string,
): void {
  context.save();
  context.strokeStyle = stroke;
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  const width = Math.max(2, to - from - 1);
  context.strokeRect(from, y + 1, width, rowHeight - 2);
  context.beginPath();
  context.rect(from, y + 1, width, rowHeight - 2);
  context.clip();
  context.setLineDash([]);
  context.globalAlpha = 0.45;
  context.lineWidth = 1;
  context.beginPath();
  // What lies outside of the canvas need not be hatched.
  const last = Math.min(from + width, context.canvas.width);
  for (let x = Math.max(from - rowHeight, -rowHeight); x < last; x += 5) {
    context.moveTo(x, y + rowHeight);
    context.lineTo(x + rowHeight, y);
  }
  context.stroke();
  context.restore();
}

/** A killed attempt is told by its shape, too. */
function drawCross(context: CanvasRenderingContext2D, x: number, y: number, stroke: string): void {
  context.strokeStyle = stroke;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - 4, y - 5);
  context.lineTo(x + 4, y + 5);
  context.moveTo(x + 4, y - 5);
  context.lineTo(x - 4, y + 5);
  context.stroke();
}

function drawMarks(context: CanvasRenderingContext2D, scene: Scene, height: number, colour: Colours): void {
  const { view, marks, lanes, now } = scene;
  const epochs: EpochLine[] = [];
  for (const mark of marks) {
    if (mark.at < view.from || mark.at > view.to) continue;
    const x = xOf(mark.at, scene);
    if (mark.kind === "leader") {
      context.fillStyle = colour("--accent");
      context.fillRect(x, axisHeight - 1, 1.5, height);
      epochs.push({ x, epoch: mark.epoch });
      continue;
    }
    let top = axisHeight;
    for (const lane of lanes) {
      if (lane.worker === mark.worker) {
        const name = { attached: "--success", drained: "--retrying", lost: "--failed", left: "--created" }[mark.kind];
        context.fillStyle = colour(mark.wasRestarted === true ? "--failed" : name);
        context.fillRect(x, top + 2, 2, laneHeight(lane) - 4);
      }
      top += laneHeight(lane);
    }
  }
  context.textAlign = "left";
  context.fillStyle = colour("--accent");
  const widthOf = (text: string) => context.measureText(text).width;
  for (const { text, x } of epochLabels(epochs, widthOf, scene.width)) context.fillText(text, x, epochRow);
  if (now < view.from || now > view.to) return;
  context.fillStyle = colour("--muted");
  context.fillRect(xOf(now, scene), axisHeight, 1, height);
}
