/** Plans a job: finds its input, divides it, checks its output folder and its code, and samples keys where it sorts by ranges. */
import { createHash } from "node:crypto";
import type { MapReduceInput } from "../../model/kinds/mapReduce.ts";
import { limits } from "../../model/limits.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { BrokenTask } from "../coordinator/brokenTask.ts";
import { isOutputName, namesBesideParts } from "../coordinator/promote.ts";
import { type Plan, type PlannedFile, type PlannedRange, settingsOf } from "../coordinator/settings.ts";
import { writeText } from "../coordinator/store.ts";
import { divide, mapsFor } from "../engine/byteRanges.ts";
import { boundariesOf } from "../engine/rangePartition.ts";
import { findInput } from "./inputFiles.ts";
import type { SlotFiles } from "./jobFiles.ts";
import { runInThread, type ThreadOptions } from "./userThread.ts";

/** Where the number of maps is not given, so many slots are assumed to share the work. */
const slotsAssumed = 4;
/** From so many places of the input keys are sampled, so many bytes from each. */
const samplePlaces = 20;
const sampleBytes = 64 * 1024;
/** What the input of a map says of a range besides its file, at most. */
const rangeTextBytes = 64;
/** So much text is assumed to be in a compressed byte. */
const textPerPackedByte = 4;

export async function makePlan(
  id: string,
  input: MapReduceInput,
  files: SlotFiles,
  options: ThreadOptions,
): Promise<Plan> {
  const { code, output } = input;
  if (createHash("sha256").update(code.text).digest("hex") !== code.sha256) {
    throw new NonRetryableError("The code of the job does not have the hash that the job names.");
  }
  const found = await findInput(input.input.paths);
  await checkOutput(output, files);
  const bytes = found.reduce((sum, { size }) => sum + size, 0);
  const wholeFiles = found.filter(({ isWhole }) => isWhole === true);
  const wanted = input.maps ?? mapsSuiting(found, wholeFiles);
  const plan: Plan = {
    maps: Math.max(1, Math.min(wanted, limits.jobMapsMax, bytes + wholeFiles.length)),
    bytes,
    files: found.length,
    input: await writeText(files, "job/input", JSON.stringify(found)),
    code: await writeText(files, "job/code", code.text, ".mjs"),
    boundaries: [],
  };
  const settings = settingsOf(id, input, plan);
  if (input.partition !== "range" || input.reduces === 1) {
    await runInThread(settings, { kind: "check" }, options);
    return plan;
  }
  const sampled = await sampleSurvivors(samplesOf(found, bytes), (ranges) =>
    runInThread(settings, { kind: "sample", ranges }, options),
  );
  const keys = sampled !== null && "keys" in sampled ? sampled.keys : [];
  return { ...plan, boundaries: boundariesOf(keys, input.reduces) };
}

/** Whether the job survives a record is for its maps to find out, and may be left out there: here, its range ends before it. */
export async function sampleSurvivors<Result>(
  ranges: readonly PlannedRange[],
  sample: (ranges: readonly PlannedRange[]) => Promise<Result>,
): Promise<Result> {
  try {
    return await sample(ranges);
  } catch (error) {
    if (!(error instanceof BrokenTask) || error.kind !== "crash" || error.at === null) throw error;
    const { range: fatal, offset } = error.at;
    // It ends: each time a range is shorter.
    if (offset >= (ranges[fatal]?.end ?? 0)) throw error;
    const cut = ranges.map((range, index) =>
      index === fatal ? { ...range, end: Math.max(range.start, offset) } : range,
    );
    return sampleSurvivors(cut, sample);
  }
}

/** So many maps that none has more ranges than its input can name. Files that cannot be divided want no more maps than there are of them. */
export function mapsSuiting(found: readonly PlannedFile[], wholeFiles: readonly PlannedFile[]): number {
  const { jobRangeBytesMin, jobRangeBytesMax } = limits;
  const bytesOf = (files: readonly PlannedFile[]) => files.reduce((sum, { size }) => sum + size, 0);
  const suiting = (bytes: number) =>
    bytes === 0 ? 0 : mapsFor(bytes, slotsAssumed, jobRangeBytesMin, jobRangeBytesMax);
  const unknown = wholeFiles.filter(({ size }) => size === 0).length;
  const wholeBytes = bytesOf(wholeFiles);
  const forWhole = Math.min(wholeFiles.length - unknown, suiting(wholeBytes * textPerPackedByte));
  const named = found.reduce((sum, file) => sum + JSON.stringify(file).length + rangeTextBytes, 0);
  return Math.max(
    suiting(bytesOf(found) - wholeBytes) + forWhole + unknown,
    Math.ceil((2 * named) / limits.jobRangesBytesMax),
  );
}

/** The ranges of each map, the same in every attempt. */
export async function rangesOf(plan: Plan, files: SlotFiles): Promise<readonly (readonly PlannedRange[])[]> {
  const found = JSON.parse(await files.text(plan.input)) as readonly PlannedFile[];
  return divide(found, plan.maps).map((ranges, map) => {
    const planned = withFiles(ranges, found);
    if (JSON.stringify(planned).length <= limits.jobRangesBytesMax) return planned;
    throw new NonRetryableError(
      `Map ${map} would read ${planned.length} files. Use more maps, or fewer and larger files.`,
    );
  });
}

function withFiles(
  ranges: readonly { readonly file: number; readonly start: number; readonly end: number }[],
  found: readonly PlannedFile[],
): PlannedRange[] {
  return ranges.flatMap(({ file, start, end }) => {
    const planned = found[file];
    return planned === undefined ? [] : [{ file: planned, start, end }];
  });
}

/** Small pieces from all over the input. */
function samplesOf(found: readonly PlannedFile[], bytes: number): PlannedRange[] {
  const places = Math.min(samplePlaces, Math.max(1, found.length, Math.ceil(bytes / sampleBytes)));
  const pieces = divide(found, places).flatMap((ranges) => ranges.slice(0, 1));
  return withFiles(pieces, found).map((range) => ({ ...range, end: Math.min(range.end, range.start + sampleBytes) }));
}

/** A folder that holds something is refused, unless the job says otherwise: nobody wants two outputs mixed. */
async function checkOutput({ folder, overwrite = false }: MapReduceInput["output"], files: SlotFiles): Promise<void> {
  // One more than an output may have.
  const others = await files.outputNames(limits.jobReducesMax + namesBesideParts.length + 1);
  const isOutput = others.every(isOutputName);
  if (others.length === 0 || (overwrite && isOutput)) return;
  const hint = isOutput
    ? "Choose another folder, or overwrite it (`--overwrite`)."
    : "It holds files that are no output of a job.";
  throw new NonRetryableError(`The output folder ${folder} is not empty. ${hint}`);
}
