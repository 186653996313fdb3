/** In the browser: draws the timeline on a canvas; zooms, pans, and says what stands under the pointer. Without imports at run time: it stands in the page as it is. */
import type { Lane, TimelineData } from "../timelineShape.ts";

const data = JSON.parse(find("timeline-data", HTMLElement).textContent ?? "") as TimelineData;
const canvas = find("timeline", HTMLCanvasElement);
const overview = find("overview", HTMLCanvasElement);
const tip = find("tip", HTMLElement);
const context = brushOf(canvas);

const gutter = 92;
const rowHeight = 8;
const padding = 7;
const axisHeight = 22;
const flowHeight = 44;
const spanMsMin = 50;
const marks: { readonly [kind: string]: string } = {
  kill: "✕",
  blackout: "✕",
  stop: "■",
  pause: "‖",
  task: "•",
  unplug: "○",
};

/** Where each lane stands. */
const lanes: (Lane & { readonly top: number; readonly height: number })[] = [];
let height = axisHeight + flowHeight;
for (const lane of data.lanes) {
  const rows = lane.rows * rowHeight;
  const laneHeight = { master: 30, worker: rows + 16, client: 16, store: 16 }[lane.role];
  lanes.push({ ...lane, top: height, height: laneHeight });
  height += laneHeight + padding;
}

/** What is in sight, in ms since the run began. */
let view = { from: 0, to: data.endMs };
let width = 0;
let colours = readColours();
let isDrawing = false;

/** Every colour of the page that the canvas needs, as the present scheme has it. */
interface Colours {
  readonly named: { readonly [name: string]: string };
  readonly outcomes: readonly string[];
  readonly terms: readonly string[];
}

function find<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${id}.`);
  return element;
}

function brushOf(element: HTMLCanvasElement): CanvasRenderingContext2D {
  const brush = element.getContext("2d");
  if (brush === null) throw new Error("This browser draws nothing.");
  return brush;
}

function readColours(): Colours {
  const computed = getComputedStyle(document.documentElement);
  const read = (name: string) => computed.getPropertyValue(`--${name}`).trim();
  const names = ["ink", "dim", "line", "panel", "life", "storm", "flow", "killed", "pause", "cut", "slow", "mark"];
  return {
    named: Object.fromEntries(names.map((name) => [name, read(name)])),
    outcomes: data.outcomes.map((name) => read(`outcome-${name.replaceAll(" ", "-")}`)),
    terms: [0, 1, 2, 3, 4, 5].map((index) => read(`term-${index}`)),
  };
}

function named(name: string): string {
  return colours.named[name] ?? "";
}

function troubleColour(kind: string): string {
  if (kind === "disk" || kind === "server") return named("killed");
  return named(kind === "slow" || kind === "drip" ? "slow" : "cut");
}

function x(ms: number): number {
  return gutter + ((ms - view.from) / (view.to - view.from)) * (width - gutter);
}

function msAt(position: number): number {
  return view.from + ((position - gutter) / (width - gutter)) * (view.to - view.from);
}

function look(from: number, to: number): void {
  const span = Math.min(data.endMs, Math.max(spanMsMin, to - from));
  const start = Math.min(Math.max(0, from), data.endMs - span);
  view = { from: start, to: start + span };
  draw();
}

function zoom(factor: number, at = (view.from + view.to) / 2): void {
  look(at - (at - view.from) * factor, at + (view.to - at) * factor);
}

/** At most once a frame. */
function draw(): void {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    drawTimeline();
    drawOverview();
  });
}

function sized(element: HTMLCanvasElement, cssHeight: number): number {
  const ratio = globalThis.devicePixelRatio || 1;
  const cssWidth = element.parentElement?.clientWidth ?? 0;
  element.style.height = `${cssHeight}px`;
  element.width = Math.round(cssWidth * ratio);
  element.height = Math.round(cssHeight * ratio);
  const brush = brushOf(element);
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.clearRect(0, 0, cssWidth, cssHeight);
  brush.font = '11px system-ui, "Segoe UI", sans-serif';
  brush.textBaseline = "middle";
  return cssWidth;
}

function drawTimeline(): void {
  width = sized(canvas, height);
  context.save();
  context.beginPath();
  context.rect(gutter, 0, width - gutter, height);
  context.clip();
  fill(data.storm[0], data.storm[1], axisHeight, height - axisHeight, named("storm"));
  drawAxis();
  drawFlow(context, axisHeight + 2, flowHeight - 8, x);
  for (const lane of lanes) drawLane(lane);
  context.restore();
  context.fillStyle = named("dim");
  context.fillText("acknowledged", 0, axisHeight + flowHeight / 2);
  context.fillStyle = named("ink");
  for (const lane of lanes) context.fillText(lane.name, 0, lane.top + lane.height / 2);
}

function fill(from: number, to: number, top: number, tall: number, colour: string): void {
  if (to < view.from || from > view.to) return;
  const left = Math.max(x(from), gutter - 2);
  context.fillStyle = colour;
  context.fillRect(left, top, Math.max(1, Math.min(x(to), width + 2) - left), tall);
}

function drawAxis(): void {
  const span = view.to - view.from;
  const steps = [10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 12e5, 36e5];
  const step = steps.find((ms) => (ms / span) * (width - gutter) > 78) ?? 36e5;
  context.strokeStyle = named("line");
  context.fillStyle = named("dim");
  context.lineWidth = 1;
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    const position = Math.round(x(at)) + 0.5;
    context.beginPath();
    context.moveTo(position, axisHeight - 4);
    context.lineTo(position, height);
    context.stroke();
    context.fillText(clock(at, step), position + 3, axisHeight / 2);
  }
}

function clock(ms: number, step: number): string {
  const seconds = ms / 1000;
  if (step >= 1000) {
    const minutes = Math.floor(seconds / 60);
    return minutes > 0 ? `${minutes}:${String(Math.round(seconds % 60)).padStart(2, "0")}` : `${Math.round(seconds)} s`;
  }
  return `${seconds.toFixed(step >= 100 ? 1 : 2)} s`;
}

function drawFlow(brush: CanvasRenderingContext2D, top: number, tall: number, toX: (ms: number) => number): void {
  const { stepMs, counts } = data.flow;
  const most = Math.max(1, ...counts);
  brush.fillStyle = named("flow");
  for (const [index, count] of counts.entries()) {
    const left = toX(index * stepMs);
    const right = toX((index + 1) * stepMs);
    if (right < 0 || left > width || count === 0) continue;
    const bar = (count / most) * tall;
    brush.fillRect(left, top + tall - bar, Math.max(0.5, right - left), bar);
  }
}

function drawLane(lane: (typeof lanes)[number]): void {
  const { top } = lane;
  for (const [from, to] of lane.lives) fill(from, to, top, lane.height, named("life"));
  for (const [from, to, epoch] of lane.terms) {
    fill(from, to, top + 4, lane.height - 8, colours.terms[epoch % colours.terms.length] ?? "");
    label(from, to, top + lane.height / 2, `epoch ${epoch}`);
  }
  for (const [from, to, row, outcome] of lane.attempts) {
    fill(from, to, top + 10 + row * rowHeight, rowHeight - 1, colours.outcomes[outcome] ?? "");
  }
  for (const [from, to] of lane.pauses) fill(from, to, top, lane.height, named("pause"));
  for (const [from, to, kind] of lane.troubles) fill(from, to, top + lane.height - 4, 4, troubleColour(kind));
  for (const [from, to, killed] of lane.lives) {
    if (killed === 1) fill(to, to, top, lane.height, named("killed"));
    // Where one life ends and the next begins at once there must be a gap to be seen.
    fill(from, from, top, lane.height, named("panel"));
  }
  context.font = "bold 10px system-ui, sans-serif";
  for (const [at, kind] of lane.marks) {
    if (at < view.from || at > view.to) continue;
    context.fillStyle = kind === "kill" || kind === "blackout" ? named("killed") : named("mark");
    context.fillText(marks[kind] ?? "•", x(at) - 4, top + 5);
  }
  context.font = '11px system-ui, "Segoe UI", sans-serif';
}

function label(from: number, to: number, middle: number, text: string): void {
  const left = Math.max(x(from), gutter);
  const room = Math.min(x(to), width) - left;
  if (room < 14) return;
  const shown = room > 60 ? text : text.replace("epoch ", "");
  if (context.measureText(shown).width + 8 > room) return;
  context.fillStyle = "#fff";
  context.fillText(shown, left + 5, middle);
}

function drawOverview(): void {
  const tall = 34;
  const brush = brushOf(overview);
  const whole = sized(overview, tall);
  const toX = (ms: number) => gutter + (ms / data.endMs) * (whole - gutter);
  brush.fillStyle = named("storm");
  brush.fillRect(toX(data.storm[0]), 0, toX(data.storm[1]) - toX(data.storm[0]), tall);
  drawFlow(brush, 2, tall - 4, toX);
  brush.strokeStyle = named("ink");
  brush.lineWidth = 1.5;
  brush.strokeRect(toX(view.from) + 1, 1, Math.max(3, toX(view.to) - toX(view.from) - 2), tall - 2);
}

/** What stands at this place, in words; the smallest thing first. */
function wordsAt(left: number, top: number): readonly [string, string] | null {
  const lane = lanes.find((other) => top >= other.top - 3 && top < other.top + other.height + 3);
  if (lane === undefined || left < gutter) return null;
  const at = msAt(left);
  const near = ((view.to - view.from) / (width - gutter)) * 6;
  const mark = lane.marks.find(([when]) => Math.abs(when - at) <= near);
  if (mark !== undefined && top < lane.top + 14) return [mark[2], seconds(mark[0])];
  const row = Math.floor((top - lane.top - 10) / rowHeight);
  const attempt = lane.attempts.findLast(
    ([from, to, its]) => its === row && at >= from - near / 3 && at <= Math.max(to, from) + near / 3,
  );
  if (attempt !== undefined) {
    const [from, to, , outcome, task, number] = attempt;
    return [
      `${data.tasks[task]}, attempt ${number}: ${data.outcomes[outcome]}`,
      `${seconds(from)}, for ${Math.round(to - from)} ms`,
    ];
  }
  const trouble = lane.troubles.findLast(([from, to]) => at >= from - near && at <= to + near);
  if (trouble !== undefined && (lane.rows === 0 || top > lane.top + lane.height - 9))
    return [trouble[3], seconds(trouble[0])];
  if (mark !== undefined) return [mark[2], seconds(mark[0])];
  const pause = lane.pauses.findLast(([from, to]) => at >= from && at <= to);
  if (pause !== undefined)
    return [`${lane.name} is stopped`, `${seconds(pause[0])}, for ${Math.round(pause[1] - pause[0])} ms`];
  const term = lane.terms.findLast(([from, to]) => at >= from && at <= to);
  if (term !== undefined)
    return [
      `${lane.name} leads in epoch ${term[2]}`,
      `${seconds(term[0])}, for ${((term[1] - term[0]) / 1000).toFixed(1)} s`,
    ];
  const life = lane.lives.findLast(([from, to]) => at >= from && at <= to);
  if (life !== undefined)
    return [`${lane.name}, life ${lane.lives.indexOf(life) + 1}`, `from ${(life[0] / 1000).toFixed(2)} s`];
  return lane.role === "master" || lane.role === "worker" ? [`${lane.name} is down`, seconds(at)] : null;
}

function seconds(ms: number): string {
  return `at ${(ms / 1000).toFixed(2)} s`;
}

function showTip(event: PointerEvent): void {
  const box = canvas.getBoundingClientRect();
  const words = wordsAt(event.clientX - box.left, event.clientY - box.top);
  tip.hidden = words === null;
  if (words === null) return;
  tip.replaceChildren(
    ...words.map((text, index) =>
      Object.assign(document.createElement(index === 0 ? "b" : "span"), { textContent: text }),
    ),
  );
  const left = Math.min(event.clientX - box.left + 14, box.width - tip.offsetWidth - 4);
  tip.style.transform = `translate(${Math.max(0, left)}px, ${event.clientY - box.top + 16}px)`;
}

function followDrag(
  element: HTMLElement,
  onMove: (event: PointerEvent, down: PointerEvent, before: { readonly from: number; readonly to: number }) => void,
): void {
  element.addEventListener("pointerdown", (down) => {
    element.setPointerCapture(down.pointerId);
    const before = { ...view };
    const move = (event: PointerEvent) => onMove(event, down, before);
    onMove(down, down, before);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", () => element.removeEventListener("pointermove", move), { once: true });
  });
}

followDrag(canvas, (event, down, before) => {
  const byMs = ((down.clientX - event.clientX) / (width - gutter)) * (before.to - before.from);
  if (byMs !== 0) look(before.from + byMs, before.to + byMs);
});
followDrag(overview, (event) => {
  const box = overview.getBoundingClientRect();
  const at = ((event.clientX - box.left - gutter) / (box.width - gutter)) * data.endMs;
  const half = (view.to - view.from) / 2;
  look(at - half, at + half);
});
canvas.addEventListener("pointermove", showTip);
canvas.addEventListener("pointerleave", () => (tip.hidden = true));
canvas.addEventListener(
  "wheel",
  (event) => {
    const box = canvas.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(Math.exp(event.deltaY * 0.004), msAt(event.clientX - box.left));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const byMs = (event.deltaX / (width - gutter)) * (view.to - view.from);
      look(view.from + byMs, view.to + byMs);
    }
  },
  { passive: false },
);
const actions: { readonly [name: string]: () => void } = {
  in: () => zoom(0.5),
  out: () => zoom(2),
  all: () => look(0, data.endMs),
  left: () => look(view.from - (view.to - view.from) / 4, view.to - (view.to - view.from) / 4),
  right: () => look(view.from + (view.to - view.from) / 4, view.to + (view.to - view.from) / 4),
};
const keys: { readonly [key: string]: string } = {
  "+": "in",
  "=": "in",
  "-": "out",
  "0": "all",
  ArrowLeft: "left",
  ArrowRight: "right",
};
for (const button of document.querySelectorAll<HTMLElement>("[data-look]")) {
  button.addEventListener("click", () => actions[button.dataset["look"] ?? ""]?.());
}
canvas.addEventListener("dblclick", (event) => zoom(0.4, msAt(event.clientX - canvas.getBoundingClientRect().left)));
canvas.addEventListener("keydown", (event) => {
  const name = keys[event.key];
  if (name === undefined) return;
  event.preventDefault();
  actions[name]?.();
});
for (const link of document.querySelectorAll<HTMLElement>("[data-at]")) {
  link.addEventListener("click", () => {
    const at = Number(link.dataset["at"]);
    look(at - 2500, at + 5000);
    canvas.scrollIntoView({ block: "center", behavior: "smooth" });
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = readColours();
  draw();
});
new ResizeObserver(draw).observe(overview);
// `report.html#20-25` opens with these seconds in sight.
const [fromSeconds = 0, toSeconds = 0] = location.hash.slice(1).split("-").map(Number);
if (toSeconds > fromSeconds) look(fromSeconds * 1000, toSeconds * 1000);
else look(0, data.endMs);
