/** What a MapReduce job comes to so far, from its task, its steps and its children. */
import type { StepPage, Task } from "../../api/schema.ts";
import { finalStates } from "../../parts/states.tsx";

export const jobKind = "map-reduce";
const mapKind = "map-reduce.map";
const reduceKind = "map-reduce.reduce";

/** In order. `over`: the job has succeeded; one that ended otherwise stays in the phase that it has come to. */
export const phases = ["planning", "mapping", "reducing", "committing", "over"] as const;
export type Phase = (typeof phases)[number];

/** One map or one reduce, in its latest run. */
export interface Cell {
  readonly index: number;
  readonly task: Task;
  /** From 0 to 1; null for a running reduce, which does not know how much is left. */
  readonly share: number | null;
  /** How often it ran again since its output was lost. */
  readonly reruns: number;
}

/** Sums over all maps, or over all reduces. */
export interface Sums {
  readonly done: number;
  readonly running: number;
  /** Of maps: bytes of the input that were read. Of reduces: bytes of the output that were written. */
  readonly bytes: number;
  /** Of maps: records of the input. Of reduces: lines of the output. */
  readonly records: number;
  /** Bytes that maps have written for reduces, or that reduces have read from maps. */
  readonly shuffledBytes: number;
  readonly skipped: number;
  /** Attempts that failed, and attempts that were lost with a worker. */
  readonly failures: number;
  readonly kills: number;
  readonly reruns: number;
  /** Slow ones that were done by a second worker as well, and those of them that ended with its result. */
  readonly backups: number;
  readonly byBackup: number;
}

export interface JobProgress {
  readonly phase: Phase;
  /** Null until the plan is made. */
  readonly plan: { readonly maps: number; readonly bytes: number; readonly files: number } | null;
  readonly reduces: number;
  readonly startedAt: number | null;
  readonly mappedAt: number | null;
  /** Null until the job has ended, in whatever way. */
  readonly endedAt: number | null;
  readonly maps: readonly Cell[];
  readonly parts: readonly Cell[];
  readonly mapSums: Sums;
  readonly reduceSums: Sums;
  /** The largest part over the average of those that are there; null before the first one. */
  readonly skew: number | null;
  /** Of a job that has succeeded and combines nothing: the key with the most values, and its share of all of them. */
  readonly largestKey: { readonly key: string; readonly share: number } | null;
}

type Steps = StepPage["steps"];

export function jobProgress(job: Task, steps: Steps, children: readonly Task[]): JobProgress {
  const planned = valueOf(steps, "plan");
  const plan = isPlan(planned) ? { maps: planned.maps, bytes: planned.bytes, files: planned.files } : null;
  const maps = cellsOf(children, mapKind);
  const parts = cellsOf(children, reduceKind);
  const sizes = parts.flatMap(({ task }) => (task.state === "success" ? [numberIn(partOf(task), "size")] : []));
  const written = sizes.reduce((sum, size) => sum + size, 0);
  return {
    phase: phaseOf(job, steps, parts),
    plan,
    reduces: numberIn(job.input, "reduces"),
    startedAt: numberOrNull(valueOf(steps, "started")),
    mappedAt: numberOrNull(valueOf(steps, "mapped")),
    endedAt: finalStates.has(job.state) ? (job.endedAt ?? job.changedAt) : null,
    maps,
    parts,
    mapSums: sumsOf(maps, mapFigures),
    reduceSums: sumsOf(parts, reduceFigures),
    skew: written === 0 ? null : (Math.max(...sizes) * sizes.length) / written,
    largestKey: largestKeyOf(job.output),
  };
}

function largestKeyOf(output: Task["output"]): JobProgress["largestKey"] {
  if (!isObject(output)) return null;
  const { maxKey, maxKeyShare } = output;
  return typeof maxKey === "string" && typeof maxKeyShare === "number" ? { key: maxKey, share: maxKeyShare } : null;
}

function phaseOf(job: Task, steps: Steps, parts: readonly Cell[]): Phase {
  if (job.state === "success") return "over";
  const isDone = (key: string) => steps.some((step) => step.key === key);
  if (!isDone("plan")) return "planning";
  if (!isDone("mapped")) return "mapping";
  const isLastPartThere = parts.length === numberIn(job.input, "reduces") && parts.every(isSuccess);
  return isLastPartThere && parts.every(({ task }) => isObject(partOf(task))) ? "committing" : "reducing";
}

/** The latest run of each: a map or a reduce that runs again is a new child with the same name. */
function cellsOf(children: readonly Task[], kind: string): Cell[] {
  const cells = new Map<number, Cell>();
  for (const task of children) {
    const index = Number(/ (\d+)$/.exec(task.name)?.[1]);
    if (task.kind !== kind || !Number.isInteger(index)) continue;
    const before = cells.get(index);
    const isLater = before === undefined || task.createdAt >= before.task.createdAt;
    const reruns = before === undefined ? 0 : before.reruns + 1;
    const latest = isLater ? task : before.task;
    cells.set(index, { index, task: latest, share: shareOf(latest), reruns });
  }
  return [...cells.values()].sort((a, b) => a.index - b.index);
}

function shareOf({ state, progress }: Task): number | null {
  if (state === "success") return 1;
  if (progress?.total === undefined || progress.total === null) return state === "running" ? null : 0;
  return progress.total <= 0 ? 0 : Math.min(1, (progress.done ?? 0) / progress.total);
}

interface Figures {
  readonly bytes: number;
  readonly records: number;
  readonly shuffledBytes: number;
  readonly skipped: number;
}

function mapFigures({ state, output, progress }: Task): Figures {
  if (state !== "success") return runningFigures(progress);
  return {
    bytes: numberIn(output, "bytes"),
    records: numberIn(output, "records"),
    shuffledBytes: numberIn(output, "size"),
    skipped: numberIn(output, "skipped"),
  };
}

function reduceFigures(task: Task): Figures {
  const part = partOf(task);
  return {
    bytes: numberIn(part, "size"),
    records: numberIn(part, "records"),
    shuffledBytes: numberIn(part, "shuffledBytes"),
    skipped: 0,
  };
}

/** `1200 records, 2 skipped`: so the progress of a running map says it. */
function runningFigures(progress: Task["progress"]): Figures {
  const [, records = "0", skipped = "0"] = /^(\d+) \w+(?:, (\d+) skipped)?/.exec(progress?.text ?? "") ?? [];
  return { bytes: progress?.done ?? 0, records: Number(records), shuffledBytes: 0, skipped: Number(skipped) };
}

function sumsOf(cells: readonly Cell[], figuresOf: (task: Task) => Figures): Sums {
  const sums = { done: 0, running: 0, bytes: 0, records: 0, shuffledBytes: 0 };
  const troubles = { skipped: 0, failures: 0, kills: 0, reruns: 0, backups: 0, byBackup: 0 };
  for (const cell of cells) {
    const { bytes, records, shuffledBytes, skipped } = figuresOf(cell.task);
    sums.done += isSuccess(cell) ? 1 : 0;
    sums.running += cell.task.state === "running" ? 1 : 0;
    sums.bytes += bytes;
    sums.records += records;
    sums.shuffledBytes += shuffledBytes;
    troubles.skipped += skipped;
    troubles.failures += cell.task.failures;
    troubles.kills += cell.task.kills;
    troubles.reruns += cell.reruns;
    troubles.backups += cell.task.backup === undefined ? 0 : 1;
    troubles.byBackup += cell.task.backup?.isWinner === true ? 1 : 0;
  }
  return { ...sums, ...troubles };
}

function isSuccess({ task }: Cell): boolean {
  return task.state === "success";
}

/** Absent where a reduce missed the output of maps. */
function partOf({ output }: Task): unknown {
  return isObject(output) ? output["part"] : undefined;
}

function valueOf(steps: Steps, key: string): unknown {
  return steps.find((step) => step.key === key)?.step.value;
}

function isPlan(value: unknown): value is { maps: number; bytes: number; files: number } {
  return isObject(value) && ["maps", "bytes", "files"].every((name) => typeof value[name] === "number");
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null;
}

function numberIn(value: unknown, name: string): number {
  return isObject(value) && typeof value[name] === "number" ? value[name] : 0;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
