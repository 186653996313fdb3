/** Runs of maps and reduces as tasks: which records killed earlier attempts, and what follows from a failure. */
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
  const poison = suspects.filter((at, index) => suspects.indexOf(at) < index);
  try {
    const leftOut = [...new Set(poison)].filter((at) => at !== elsewhere);
    return await runner.map(settings, { map, ranges, poison: leftOut }, ctx);
  } catch (error) {
    let suspect = elsewhere;
    const failure = await judged(error, suspects, settings, async (at) => {
      suspect = at;
      await ctx.step(suspectKey(ctx.attempt), () => at);
    });
    if (settings.skippedMax === 0 || isFinalError(failure)) throw failure;
    // If it did not stand at a record, that is remembered as well: such failures are counted here.
    if (suspect === elsewhere) await ctx.step(suspectKey(ctx.attempt), () => elsewhere);
    const failures = [...suspects, suspect];
    const found = new Set(failures.filter((at, index) => at !== elsewhere && failures.indexOf(at) < index));
    if (failures.length - 2 * found.size < childOptions.attemptsMax) throw failure;
    throw new NonRetryableError(failure instanceof Error ? failure.message : String(failure), { cause: failure });
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
    throw await judged(error, [], settings, remembersNothing);
  }
}

/** Records at which earlier attempts of this task did not survive. */
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

/** A reduce is at no record. */
const remembersNothing = async () => undefined;

/** What to throw for a failed task: an error after which another attempt follows, or not. */
async function judged(
  error: unknown,
  suspects: readonly string[],
  settings: JobSettings,
  remember: (suspect: string) => Promise<void>,
): Promise<unknown> {
  if (!(error instanceof BrokenTask)) return error;
  if (error.kind === "final") return new NonRetryableError(error.message);
  if (error.at === null || (error.kind !== "crash" && error.kind !== "record")) return new Error(error.message);
  const suspect = poisonKey(error.at.range, error.at.offset);
  if (!suspects.includes(suspect)) {
    await remember(suspect);
    return new Error(error.message);
  }
  // The second time. A record that may be skipped is left out by the next attempt.
  const maySkip = error.kind === "crash" && settings.skippedMax !== 0;
  if (!maySkip) return new NonRetryableError(`${error.message} (in two attempts)`);
  await remember(suspect);
  return new Error(error.message);
}
