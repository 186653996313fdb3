/** A run as it can be watched: what it looks like at one instant, and the lines that show it. */

import type { Colour, Paint } from "../../cli/colour.ts";
import { formatDuration } from "../../cli/duration.ts";
import { cut, widthOf } from "../../cli/terminalText.ts";
import type { TaskState } from "../../model/task.ts";
import { byAttempt, type LedgerFact } from "../cluster/attemptLines.ts";
import type { Life } from "../cluster/lives.ts";

export interface View {
  readonly elapsedMs: number;
  readonly total: number;
  readonly success: number;
  readonly running: number;
  /** Killed and not started again yet. */
  readonly killed: number;
  readonly processes: readonly ProcessView[];
}

export interface ProcessView {
  readonly name: string;
  readonly state: "up" | "starting" | "down";
  /** How long it has been so. */
  readonly forMs: number;
  /** What it runs, by its own word, and how much of the sleep is over: 0 to 1. */
  readonly running: readonly { readonly task: string; readonly done: number }[];
  /** Of a master that is up: `leads, epoch 2` or `stands by`. */
  readonly role: string | null;
}

export interface Sighting {
  readonly startedAt: number;
  readonly now: number;
  readonly sleepMs: ReadonlyMap<string, number>;
  /** The last state that the master told of each task. */
  readonly states: ReadonlyMap<string, TaskState>;
  readonly ledger: readonly LedgerFact[];
  readonly lives: readonly Life[];
  readonly leader: { readonly process: string; readonly epoch: number; readonly at: number } | null;
}

export function lookAt(seen: Sighting): View {
  const states = [...seen.states.values()];
  const count = (state: TaskState) => states.filter((other) => other === state).length;
  // The last life of each process is the one to show.
  const lives = new Map(seen.lives.map((life) => [life.process, life]));
  const processes = [...lives.values()].sort((a, b) => a.process.localeCompare(b.process, "en", { numeric: true }));
  return {
    elapsedMs: seen.now - seen.startedAt,
    total: seen.sleepMs.size,
    success: count("success"),
    running: count("running"),
    killed: count("killed"),
    processes: processes.map((life) => processView(life, seen)),
  };
}

function processView(life: Life, { now, ledger, sleepMs, leader }: Sighting): ProcessView {
  const name = life.process;
  if (life.endedAt !== null) return { name, state: "down", forMs: now - life.endedAt, running: [], role: null };
  const facts = ledger.filter((fact) => fact.process === life.process && fact.life === life.number);
  const running = [...byAttempt(facts).values()].flatMap(({ task, starts, ends }) => {
    const [start] = starts;
    if (start === undefined || ends.length > 0) return [];
    return [{ task, done: Math.min(1, Math.max(0, now - start.at) / (sleepMs.get(task) ?? 1)) }];
  });
  if (life.readyAt === null) return { name, state: "starting", forMs: now - life.startedAt, running, role: null };
  const role = life.role === "master" ? roleText(life, leader) : null;
  return { name, state: "up", forMs: now - life.readyAt, running, role };
}

function roleText(life: Life, leader: Sighting["leader"]): string {
  // An earlier life of the same process may have led.
  const leads = leader?.process === life.process && leader.at >= life.startedAt;
  return leads ? `leads, epoch ${leader.epoch}` : "stands by";
}

const barWidth = 40;
const levels = "▁▂▃▄▅▆▇█";

/** The block that is drawn again and again on a terminal: the bar, then a line for each process. */
export function viewLines(view: View, paint: Paint, columnsMax: number): string[] {
  const nameWidth = Math.max(...view.processes.map((process) => widthOf(process.name)), 0);
  const lines = view.processes.map(
    (process) => `  ${process.name.padEnd(nameWidth)}  ${processText(process, paint, columnsMax - nameWidth - 6)}`,
  );
  return ["", `  ${barText(view, paint)}`, ...lines];
}

function barText(view: View, paint: Paint): string {
  const share = view.total === 0 ? 0 : view.success / view.total;
  const full = Math.round(share * barWidth);
  const bar = paint("green", "█".repeat(full)) + paint("dim", "░".repeat(barWidth - full));
  return `${bar} ${paint("bold", `${view.success}/${view.total}`)}  ${countsText(view)}  ${paint("dim", formatDuration(view.elapsedMs))}`;
}

function countsText(view: View): string {
  const waiting = view.total - view.success - view.running - view.killed;
  return `${view.running} running · ${waiting} waiting${view.killed > 0 ? ` · ${view.killed} killed` : ""}`;
}

function processText(process: ProcessView, paint: Paint, columnsMax: number): string {
  switch (process.state) {
    case "down":
      return paint("red", `✗ down for ${formatDuration(process.forMs)}`);
    case "starting":
      return paint("yellow", "… starting");
    case "up": {
      const tasks = process.running.map(
        ({ task, done }) => `${task} ${levels[Math.min(levels.length - 1, Math.floor(done * levels.length))]}`,
      );
      const colour: Colour = tasks.length > 0 ? "cyan" : "dim";
      return `${paint("green", "●")} ${paint(colour, cut(process.role ?? tasks.join("  "), columnsMax))}`.trimEnd();
    }
    default:
      return process.state satisfies never;
  }
}

/** The same in one line, for output that is not a terminal. */
export function viewLine(view: View): string {
  const down = view.processes.filter((process) => process.state === "down").map((process) => process.name);
  return `${clockText(view.elapsedMs)}  ${view.success}/${view.total} success · ${countsText(view)}${down.length > 0 ? ` · down: ${down.join(", ")}` : ""}`;
}

/** Seconds since the run began, as they stand before each line: `  4.2 s`. */
export function clockText(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(1).padStart(6)} s`;
}
