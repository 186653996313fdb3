/** The tasks of a MapReduce job: the job itself, and its children, maps and reduces. Slots of workers load them like a file of handlers. */
import { type MapReduceInput, mapKindName, mapReduceKindName, reduceKindName } from "../../model/kinds/mapReduce.ts";
import { limits } from "../../model/limits.ts";
import type { TaskContext } from "../../sdk/handler/context.ts";
import { defineBuiltIn } from "../../sdk/handler/definition.ts";
import { isFinalError, NonRetryableError } from "../../sdk/handler/errors.ts";
import type { Cursor } from "../engine/cursor.ts";
import { poisonKey } from "../engine/mapRun.ts";
import { type FileRef, JobFiles } from "./jobFiles.ts";
import { makePlan, type Plan, rangesOf, settingsOf } from "./plan.ts";
import { promote } from "./promote.ts";
import { type JobSummary, summaryOf } from "./summary.ts";
import type { JobSettings, MapManifest, PartManifest, PlannedRange, ReduceResult } from "./threadProtocol.ts";
import { runInThread, TaskBroken, type ThreadOptions } from "./userThread.ts";

interface MapInput {
  readonly settings: JobSettings;
  readonly map: number;
  readonly ranges: readonly PlannedRange[];
}

interface ReduceInput {
  readonly settings: JobSettings;
  readonly partition: number;
  /** `MapManifest[]`: the committed output of each map, and no other. */
  readonly manifests: FileRef;
}

/** Maps and reduces are tried this often. Lost workers and lost files do not count. */
const attemptsMax = 4;
const backoffBaseMs = 200;

export const mapTask = defineBuiltIn<MapInput, MapManifest>({
  name: mapKindName,
  attemptsMax,
  backoffBaseMs,
  async run({ settings, map, ranges }, ctx) {
    const suspects = await earlierSuspects(ctx);
    const poison = suspects.filter((at, index) => suspects.indexOf(at) < index);
    const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    try {
      const task = { kind: "map", map, ranges, poison: [...new Set(poison)] } as const;
      return (await runInThread(settings, task, optionsFor(ctx, total, "records"))) as MapManifest;
    } catch (error) {
      throw await judged(error, suspects, settings, ctx);
    }
  },
});

export const reduceTask = defineBuiltIn<ReduceInput, ReduceResult>({
  name: reduceKindName,
  attemptsMax,
  backoffBaseMs,
  async run({ settings, partition, manifests }, ctx) {
    try {
      const task = { kind: "reduce", partition, manifests } as const;
      return (await runInThread(settings, task, optionsFor(ctx, undefined, "keys"))) as ReduceResult;
    } catch (error) {
      throw await judged(error, [], settings, ctx);
    }
  },
});

export const mapReduceTask = defineBuiltIn<MapReduceInput, JobSummary>({
  name: mapReduceKindName,
  async run(input, ctx) {
    const files = new JobFiles(input.output.folder, ctx.taskId);
    try {
      const summary = await runJob(input, ctx, files);
      // Only now that the outcome is remembered.
      await ctx.step("clean", () => files.remove());
      return summary;
    } catch (error) {
      // Otherwise another attempt goes on with these files.
      if (isFinalError(error)) await files.remove();
      throw error;
    }
  },
});

async function runJob(input: MapReduceInput, ctx: TaskContext, files: JobFiles): Promise<JobSummary> {
  const startedAt = await ctx.step("started", () => Date.now());
  const plan = await ctx.step("plan", async () => await asFinal(makePlan(ctx.taskId, input, optionsFor(ctx))));
  const settings = settingsOf(ctx.taskId, input, plan);
  const maps = await runMaps("maps", allOf(plan.maps), plan, settings, ctx, files);
  checkSkipped(input, maps);
  const mappedAt = await ctx.step("mapped", () => Date.now());
  const { parts, mapsAgain } = await runReduces(maps, plan, settings, ctx, files);
  return ctx.step("commit", async () => {
    const summary = summaryOf({ id: ctx.taskId, input, plan, maps, parts, mapsAgain, startedAt, mappedAt });
    const { folder, format, overwrite = false } = input.output;
    await promote(files, { folder, format, overwrite, parts, summary });
    return summary;
  });
}

const allOf = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Runs some maps. @returns their manifests, in the order of `wanted` */
async function runMaps(
  key: string,
  wanted: readonly number[],
  plan: Plan,
  settings: JobSettings,
  ctx: TaskContext,
  files: JobFiles,
): Promise<MapManifest[]> {
  async function* calls() {
    // Read only as long as children are missing: later the files may be gone.
    const ranges = await rangesOf(plan, files);
    for (const map of wanted) yield mapTask.task({ settings, map, ranges: ranges[map] ?? [] }, { name: `map ${map}` });
  }
  const results = await ctx.all(key, calls(), { onFailure: "cancel" });
  const manifests: MapManifest[] = [];
  for await (const manifest of results) manifests.push(manifest);
  return manifests;
}

/**
 * Runs all reduces on the committed output of all maps. Where output of a map is lost or damaged, that map runs again, then the
 * reduces that missed it; neither counts as a failure of theirs.
 */
async function runReduces(
  maps: MapManifest[],
  plan: Plan,
  settings: JobSettings,
  ctx: TaskContext,
  files: JobFiles,
): Promise<{ parts: PartManifest[]; mapsAgain: number }> {
  const parts = new Map<number, PartManifest>();
  let mapsAgain = 0;
  for (let round = 1; ; round += 1) {
    const mark = round === 1 ? "" : `-${round}`;
    const manifests = await ctx.step(`manifests${mark}`, () =>
      files.write("job/manifests", JSON.stringify(maps.map(({ map, name, size }) => ({ map, name, size })))),
    );
    const missing = allOf(settings.reduces).filter((partition) => !parts.has(partition));
    const calls = missing.map((partition) =>
      reduceTask.task({ settings, partition, manifests }, { name: `reduce ${partition}` }),
    );
    const lost = new Set<number>();
    let reason = "";
    for await (const result of await ctx.all(`reduces${mark}`, iterate(calls), { onFailure: "cancel" })) {
      if ("part" in result) parts.set(result.part.partition, result.part);
      else {
        for (const map of result.lost) lost.add(map);
        reason = result.reason;
      }
    }
    if (lost.size === 0)
      return { parts: [...parts.values()].sort((one, other) => one.partition - other.partition), mapsAgain };
    if (round > limits.jobLossesMax) {
      throw new NonRetryableError(`The output of maps was lost ${round} times, the last time because ${reason}.`);
    }
    ctx.log(`The output of ${lost.size} maps is lost (${reason}); they run again.`);
    mapsAgain += lost.size;
    const again = [...lost].sort((one, other) => one - other);
    for (const manifest of await runMaps(`maps-${round + 1}`, again, plan, settings, ctx, files)) {
      maps[manifest.map] = manifest;
    }
  }
}

function* iterate<Item>(items: readonly Item[]): Generator<Item, void, undefined> {
  yield* items;
}

function checkSkipped({ maxSkipped = 0 }: MapReduceInput, maps: readonly MapManifest[]): void {
  const skipped = maps.reduce((sum, map) => sum + map.skipped, 0);
  const records = maps.reduce((sum, map) => sum + map.records, 0);
  const max = typeof maxSkipped === "number" ? maxSkipped : (Number.parseFloat(maxSkipped) / 100) * records;
  if (skipped <= max) return;
  const [first] = maps.flatMap(({ skippedRecords }) => skippedRecords);
  const example = first === undefined ? "" : ` One of them: ${first.path}, byte ${first.offset}: ${first.reason}.`;
  throw new NonRetryableError(`${skipped} of ${records} records were skipped; ${maxSkipped} may be.${example}`);
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

/** What to throw for a failed task: an error after which another attempt follows, or not. */
async function judged(
  error: unknown,
  suspects: readonly string[],
  settings: JobSettings,
  ctx: TaskContext,
): Promise<unknown> {
  if (!(error instanceof TaskBroken)) return error;
  if (error.kind === "final") return new NonRetryableError(error.message);
  if (error.at === null || (error.kind !== "crash" && error.kind !== "record")) return new Error(error.message);
  const suspect = poisonKey(error.at.range, error.at.offset);
  if (!suspects.includes(suspect)) {
    await ctx.step(suspectKey(ctx.attempt), () => suspect);
    return new Error(error.message);
  }
  // The second time. A record that may be skipped is left out by the next attempt.
  const maySkip = error.kind === "crash" && settings.skippedMax !== 0;
  if (!maySkip) return new NonRetryableError(`${error.message} (in two attempts)`);
  await ctx.step(suspectKey(ctx.attempt), () => suspect);
  return new Error(error.message);
}

/** A plan that user code spoils is spoilt for good. */
async function asFinal<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TaskBroken) throw new NonRetryableError(error.message, { cause: error });
    throw error;
  }
}

function optionsFor(ctx: TaskContext, total?: number, what = "records"): ThreadOptions {
  return {
    log: (text) => ctx.log(text),
    onProgress: ({ bytes, records, skipped }: Cursor) => {
      const skippedText = skipped === 0 ? "" : `, ${skipped} skipped`;
      ctx.progress(bytes, total, `${records} ${what}${skippedText}`);
    },
  };
}
