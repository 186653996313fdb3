/**
 * How a MapReduce job goes: plan, maps, manifests of what they committed, reduces, promotion of the output. All that it decides by is
 * remembered as steps and children of its task, so that it goes on at the same place after any death. It does no I/O of its own.
 */
import type { MapReduceInput } from "../../model/kinds/mapReduce.ts";
import { limits } from "../../model/limits.ts";
import type { TaskCall } from "../../sdk/handler/call.ts";
import type { TaskContext } from "../../sdk/handler/context.ts";
import { isFinalError, NonRetryableError } from "../../sdk/handler/errors.ts";
import { withoutStop } from "../engine/mapRun.ts";
import { promote } from "./promote.ts";
import {
  type JobSettings,
  type MapInput,
  type MapManifest,
  type PartManifest,
  type PinnedFile,
  type Plan,
  type PlannedRange,
  type ReduceInput,
  type ReduceResult,
  settingsOf,
} from "./settings.ts";
import { gatherSkipped } from "./skippedRecords.ts";
import { type JobStore, writeText } from "./store.ts";
import { countersOf, type JobSummary, summaryOf } from "./summary.ts";

export interface JobParts {
  readonly store: JobStore;
  /** Finds and divides the input. @throws NonRetryableError if another attempt would fail as well */
  readonly makePlan: () => Promise<Plan>;
  /** The ranges of each map, the same in every attempt. */
  readonly rangesOf: (plan: Plan) => Promise<readonly (readonly PlannedRange[])[]>;
  readonly mapTask: (input: MapInput, name: string) => TaskCall<MapManifest>;
  readonly reduceTask: (input: ReduceInput, name: string) => TaskCall<ReduceResult>;
  /** In ms since 1970. */
  readonly now: () => number;
}

export async function runJob(input: MapReduceInput, ctx: TaskContext, parts: JobParts): Promise<JobSummary> {
  const { store } = parts;
  try {
    const summary = await new JobRun(input, ctx, parts).run();
    // Only now that the outcome is remembered.
    await ctx.step("clean", () => store.remove());
    return summary;
  } catch (error) {
    // After any other error another attempt goes on with these files.
    if (isFinalError(error)) {
      // Nobody but the current attempt may remove them: one that was given up waits here for ever.
      await ctx.step("failed", () => null);
      await store.remove();
    }
    throw error;
  }
}

class JobRun {
  readonly #input: MapReduceInput;
  readonly #ctx: TaskContext;
  readonly #parts: JobParts;
  readonly #setOptions: { readonly onFailure: "cancel"; readonly backups: boolean };
  /** Maps and reduces that ended with the result of a backup. */
  #byBackup = 0;

  constructor(input: MapReduceInput, ctx: TaskContext, parts: JobParts) {
    this.#input = input;
    this.#ctx = ctx;
    this.#parts = parts;
    // Each attempt writes under a name of its own, so two of one map may run at a time, unless its functions change something else.
    this.#setOptions = { onFailure: "cancel", backups: input.backups ?? true };
  }

  async run(): Promise<JobSummary> {
    const ctx = this.#ctx;
    const input = this.#input;
    const { makePlan, now, store } = this.#parts;
    const startedAt = await ctx.step("started", async () => {
      await store.open();
      return now();
    });
    const plan = await ctx.step("plan", () => makePlan());
    const settings = settingsOf(ctx.taskId, input, plan);
    const maps = await this.#runMaps("maps", allOf(plan.maps), plan, settings);
    checkSkipped(input, maps);
    // Too many are found before there are reduces, and not at the commit.
    countersOf(maps);
    const mappedAt = await ctx.step("mapped", () => now());
    const { reduced, mapsAgain } = await this.#runReduces(maps, plan, settings);
    const skippedFile = maps.some((map) => map.skippedFile !== undefined)
      ? await ctx.step("skipped", () => gatherSkipped(store, maps, (text) => ctx.log(text)))
      : null;
    return ctx.step("commit", async () => {
      const endedAt = now();
      const job = {
        id: ctx.taskId,
        input,
        plan,
        maps,
        parts: reduced,
        skippedFile,
        mapsAgain,
        byBackup: this.#byBackup,
        startedAt,
        mappedAt,
        endedAt,
      };
      const summary = summaryOf(job);
      const { format, overwrite = false } = input.output;
      await promote(store, { attempt: ctx.attempt, format, overwrite, parts: reduced, skippedFile, summary });
      return summary;
    });
  }

  /** Runs some maps. @returns their manifests, in the order of `wanted` */
  async #runMaps(key: string, wanted: readonly number[], plan: Plan, settings: JobSettings): Promise<MapManifest[]> {
    const { rangesOf, mapTask } = this.#parts;
    async function* calls() {
      // Read only as long as children are missing: later the files may be gone.
      const ranges = await rangesOf(plan);
      for (const map of wanted) yield mapTask({ settings, map, ranges: ranges[map] ?? [] }, `map ${map}`);
    }
    const results = await this.#ctx.all(key, calls(), this.#setOptions);
    this.#byBackup += results.byBackup;
    const manifests: MapManifest[] = [];
    for await (const manifest of results) manifests.push(manifest);
    return manifests;
  }

  /**
   * Runs all reduces on the committed output of all maps. Where output of a map is lost or damaged, that map runs again, then the
   * reduces that missed it; neither counts as a failure of theirs.
   */
  async #runReduces(
    maps: MapManifest[],
    plan: Plan,
    settings: JobSettings,
  ): Promise<{ reduced: PartManifest[]; mapsAgain: number }> {
    const { store, reduceTask } = this.#parts;
    const reduced = new Map<number, PartManifest>();
    let mapsAgain = 0;
    for (let round = 1; ; round += 1) {
      const mark = round === 1 ? "" : `-${round}`;
      const manifests = await this.#ctx.step(`manifests${mark}`, () =>
        writeText(store, "job/manifests", JSON.stringify(maps.map(toPinned))),
      );
      const missing = allOf(settings.reduces).filter((partition) => !reduced.has(partition));
      const calls = missing.map((partition) => reduceTask({ settings, partition, manifests }, `reduce ${partition}`));
      const lost = new Set<number>();
      let reason = "";
      const results = await this.#ctx.all(`reduces${mark}`, iterate(calls), this.#setOptions);
      this.#byBackup += results.byBackup;
      for await (const result of results) {
        if ("part" in result) reduced.set(result.part.partition, result.part);
        else {
          for (const map of result.lost) lost.add(map);
          reason = result.reason;
        }
      }
      if (lost.size === 0) {
        return { reduced: [...reduced.values()].sort((one, other) => one.partition - other.partition), mapsAgain };
      }
      if (round > limits.jobLossesMax) {
        throw new NonRetryableError(`The output of maps was lost ${round} times, the last time because ${reason}.`);
      }
      this.#ctx.log(`The output of ${lost.size} maps is lost (${reason}); they run again.`);
      mapsAgain += lost.size;
      const again = [...lost].sort((one, other) => one - other);
      for (const manifest of await this.#runMaps(`maps-${round + 1}`, again, plan, settings)) {
        maps[manifest.map] = manifest;
      }
    }
  }
}

const allOf = (count: number) => Array.from({ length: count }, (_, index) => index);

function toPinned({ map, name, size }: MapManifest): PinnedFile {
  return { map, name, size };
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
  const example =
    first === undefined ? "" : ` One of them: ${first.path}, byte ${first.offset}: ${withoutStop(first.reason)}.`;
  throw new NonRetryableError(`${skipped} of ${records} records were skipped; ${maxSkipped} may be.${example}`);
}
