/** The tasks of a MapReduce job: the job itself, and its children, maps and reduces. Slots of workers load them like a file of handlers. */
import { type MapReduceInput, mapKindName, mapReduceKindName, reduceKindName } from "../../model/kinds/mapReduce.ts";
import type { TaskContext } from "../../sdk/handler/context.ts";
import { defineBuiltIn } from "../../sdk/handler/definition.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { BrokenTask } from "../coordinator/brokenTask.ts";
import { childOptions, mapOptions, runMapTask, runReduceTask, type WorkRunner } from "../coordinator/childRuns.ts";
import { type JobParts, runJob } from "../coordinator/jobRun.ts";
import type { MapInput, MapManifest, ReduceInput, ReduceResult } from "../coordinator/settings.ts";
import type { JobSummary } from "../coordinator/summary.ts";
import type { Cursor } from "../engine/cursor.ts";
import type { SlotFiles } from "./jobFiles.ts";
import { filesOf } from "./jobPlace.ts";
import { makePlan, rangesOf } from "./plan.ts";
import { runInThread, type ThreadOptions } from "./userThread.ts";

const threads: WorkRunner = {
  async map(settings, work, ctx) {
    // How much text a whole file holds, nobody knows before its end.
    const isKnown = work.ranges.every(({ file }) => file.isWhole !== true);
    const total = isKnown ? work.ranges.reduce((sum, { start, end }) => sum + end - start, 0) : undefined;
    return (await runInThread(settings, { kind: "map", ...work }, optionsFor(ctx, total))) as MapManifest;
  },
  async reduce(settings, work, ctx) {
    const options = optionsFor(ctx, undefined, "keys");
    return (await runInThread(settings, { kind: "reduce", ...work }, options)) as ReduceResult;
  },
};

export const mapTask = defineBuiltIn<MapInput, MapManifest>({
  name: mapKindName,
  ...childOptions,
  run: (input, ctx) => runMapTask(input, ctx, threads),
});

export const reduceTask = defineBuiltIn<ReduceInput, ReduceResult>({
  name: reduceKindName,
  ...childOptions,
  run: (input, ctx) => runReduceTask(input, ctx, threads),
});

export const mapReduceTask = defineBuiltIn<MapReduceInput, JobSummary>({
  name: mapReduceKindName,
  async run(input, ctx) {
    const store = await filesOf(input.output.folder, ctx.taskId);
    try {
      return await runJob(input, ctx, partsOf(input, ctx, store));
    } finally {
      await store.close();
    }
  },
});

function partsOf(input: MapReduceInput, ctx: TaskContext, store: SlotFiles): JobParts {
  return {
    store,
    makePlan: () => asFinal(makePlan(ctx.taskId, input, store, optionsFor(ctx))),
    rangesOf: (plan) => rangesOf(plan, store),
    mapTask: (map, name) => mapTask.task(map, { name, ...mapOptions(map.settings) }),
    reduceTask: (reduce, name) => reduceTask.task(reduce, { name }),
    now: () => Date.now(),
  };
}

/** A plan that user code spoils is spoilt for good; what a disk or the network spoils, another attempt may make. */
async function asFinal<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BrokenTask && error.kind !== "error")
      throw new NonRetryableError(error.message, { cause: error });
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
