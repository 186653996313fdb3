/** Runs of maps and reduces as tasks: which records killed earlier attempts, and what follows from a failure. */
import { messageOf } from "../../model/thrown.ts";
import type { TaskContext } from "../../sdk/handler/context.ts";
import { isFinalError, NonRetryableError } from "../../sdk/handler/errors.ts";
import { poisonKey } from "../engine/mapRun.ts";
import { BrokenTask } from "./brokenTask.ts";
import type { MapWork } from "./mapWork.ts";
import type { ReduceWork } from "./reduceWork.ts";
import type { JobSettings, MapInput, MapManifest, ReduceInput, ReduceResult } from "./settings.ts";

/** Maps and reduces are tried this often. Lost workers and lost files do not count. */
export const childOptions = { attemptsMax: 4, backoffBaseMs: 200 } as const;

/** For so many records that a map does not survive it is given attempts of their own, two for each. */
const leftOutMax = 50;

/** How a map is tried where records may be left out: the attempts that find these do not use up the others. */
export function mapOptions({ skippedMax }: JobSettings): {
  readonly attemptsMax?: number;
  readonly backoffMaxMs?: number;
} {
  if (skippedMax === 0) return {};
  const leftOut = Math.min(skippedMax ?? leftOutMax, leftOutMax);
  return { attemptsMax: childOptions.attemptsMax + 2 * leftOut, backoffMaxMs: 10_000 };
}

/** Runs the work where the user's code can do no harm. @throws BrokenTask */
export interface WorkRunner {
  map(settings: JobSettings, work: MapWork, ctx: TaskContext): Promise<MapManifest>;
  reduce(settings: JobSettings, work: ReduceWork, ctx: TaskContext): Promise<ReduceResult>;
}

export async function runMapTask(
  { settings, map, ranges }: MapInput,
  ctx: TaskContext,
  runner: WorkRunner,
): Promise<MapManifest> {
  const suspects = await earlierSuspects(ctx);
  try {
    return await runner.map(settings, { map, ranges, poison: [...foundIn(suspects)] }, ctx);
  } catch (error) {
    const suspect = suspectOf(error);
    const failure = judged(error, suspect !== elsewhere && suspects.includes(suspect), settings);
    if (isFinalError(failure)) throw failure;
    const mayLeaveOut = settings.skippedMax !== 0;
    if (mayLeaveOut || suspect !== elsewhere) await ctx.step(suspectKey(ctx.attempt), () => suspect);
    if (!mayLeaveOut) throw failure;
    // What did not find a record that is left out from now on is counted here.
    const failures = [...suspects, suspect];
    if (failures.length - 2 * foundIn(failures).size < childOptions.attemptsMax) throw failure;
    throw new NonRetryableError(messageOf(failure), { cause: failure });
  }
}

export async function runReduceTask(
  { settings, partition, manifests }: ReduceInput,
  ctx: TaskContext,
  runner: WorkRunner,
): Promise<ReduceResult> {
  try {
    return await runner.reduce(settings, { partition, manifests }, ctx);
  } catch (error) {
    throw judged(error, false, settings);
  }
}

/** Where earlier attempts of this task failed. */
async function earlierSuspects(ctx: TaskContext): Promise<string[]> {
  const suspects: string[] = [];
  for (let attempt = 1; attempt < ctx.attempt; attempt += 1) {
    const suspect = await ctx.step<string | null>(suspectKey(attempt), () => null);
    if (suspect !== null) suspects.push(suspect);
  }
  return suspects;
}

const suspectKey = (attempt: number) => `suspect-${attempt}`;
/** Remembered instead of a record where an attempt failed, and did not stand at one. */
const elsewhere = "elsewhere";

/** The records that two attempts did not survive. */
function foundIn(suspects: readonly string[]): ReadonlySet<string> {
  return new Set(suspects.filter((at, index) => at !== elsewhere && suspects.indexOf(at) < index));
}

/** The record at which a map failed or was lost. */
function suspectOf(error: unknown): string {
  if (!(error instanceof BrokenTask) || error.at === null) return elsewhere;
  return error.kind === "crash" || error.kind === "record" ? poisonKey(error.at.range, error.at.offset) : elsewhere;
}

/** What to throw for a failed task: an error after which another attempt follows, or not. `isSecond` says that it failed there before. */
function judged(error: unknown, isSecond: boolean, { skippedMax }: JobSettings): unknown {
  if (!(error instanceof BrokenTask)) return error;
  if (error.kind === "final") return new NonRetryableError(error.message);
  // A record that may be skipped is left out by the next attempt.
  const maySkip = error.kind === "crash" && skippedMax !== 0;
  if (isSecond && !maySkip) return new NonRetryableError(`${error.message} (in two attempts)`);
  return new Error(error.message);
}
