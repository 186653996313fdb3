/** Submits a MapReduce job: loads its module, bundles it, and makes a task of it. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { OutlastError } from "../model/errors.ts";
import { escapeText } from "../model/graphs/references.ts";
import type { Json } from "../model/json.ts";
import { type MapReduceInput, mapReduceKindName } from "../model/kinds/mapReduce.ts";
import { limits } from "../model/limits.ts";
import type { CallOptions } from "../sdk/callOptions.ts";
import type { Outlast } from "../sdk/client.ts";
import type { TaskOptions } from "../sdk/handler/call.ts";
import { TaskFailedError } from "../sdk/handler/errors.ts";
import { bundle, type JobCode } from "./bundle.ts";
import { jobsIn, type MapReduceJob } from "./job.ts";
import { jobPrefix, withOutputsOfJobs } from "./outputsOfJobs.ts";

/**
 * What a submission says otherwise than the module, and what any task can be given: a queue, a priority, labels, a deadline. Maps and
 * reduces run in the queue of the job, with its priority and on workers with its labels; its bounds are its own.
 */
export interface JobOverrides extends TaskOptions {
  /** Which of the module's jobs; needed if there are several. */
  readonly job?: string;
  readonly input?: readonly string[];
  readonly maps?: number;
  readonly reduces?: number;
  /** The output folder. */
  readonly output?: string;
  /** Replace the output of an earlier job. */
  readonly overwrite?: boolean;
  readonly compression?: "zstd" | "deflate" | "none";
  readonly params?: Json;
}

export interface SubmittedJob {
  readonly id: string;
  /** False if it was there before. */
  readonly isNew: boolean;
  /** Waits for the job to end. @throws TaskFailedError if it failed or was cancelled */
  result(options?: CallOptions): Promise<{ readonly [field: string]: Json }>;
}

/**
 * Submits a job of a module. Relative paths of its input and output are taken from the current directory. `job:ID` as input is the output
 * of another job; if that has not ended, this one starts after it. Unless it is given a `uniqueKey`, no other job of its queue may write to
 * its output folder until it has ended.
 * @throws OutlastError `invalid` if the module holds no such job or cannot be bundled, `conflict` if another job writes to that folder
 */
export async function submitMapReduce(
  client: Outlast,
  module: string | URL,
  overrides: JobOverrides = {},
): Promise<SubmittedJob> {
  return submitPrepared(client, await prepareMapReduce(module, overrides), overrides);
}

/** What a module says of a job, and its code: all that can be done before there is a cluster. */
export interface PreparedJob {
  /** The input of the task, as the API takes it, but for the names of jobs in it. */
  readonly input: MapReduceInput;
  readonly name: string;
}

/** The same for a job that was prepared with these overrides. */
export async function submitPrepared(
  client: Outlast,
  { input: given, name }: PreparedJob,
  overrides: JobOverrides,
): Promise<SubmittedJob> {
  const { job: _job, input: _input, maps, reduces, output, overwrite, compression, params, ...task } = overrides;
  const { paths, unfinished } = await withOutputsOfJobs(client, given.input.paths);
  const after = [...(task.after ?? []), ...unfinished];
  const links = after.length === 0 ? {} : { after };
  // Of a task that waits for others, texts are searched for references to their outputs. What code says is none.
  const text = after.length === 0 ? given.code.text : escapeText(given.code.text);
  const input = { ...given, code: { ...given.code, text }, input: { ...given.input, paths } };
  const alone = task.uniqueKey === undefined ? aloneWith(given.output.folder) : {};
  const { id, isNew } = await client.submit({ name, ...task, ...alone, ...links, kind: mapReduceKindName, input });
  const result = async (options: CallOptions = {}) => {
    const task = await client.wait(id, options);
    if (task.state === "success") return task.output as { readonly [field: string]: Json };
    throw new TaskFailedError(id, task.state === "cancelled" ? "cancelled" : "failed", task.error ?? null);
  };
  return { id, isNew, result };
}

/** Of two jobs that write to one folder at once, neither output would be whole: the second is refused while the first has not ended. */
function aloneWith(folder: string): Pick<TaskOptions, "uniqueKey" | "onConflict"> {
  const key = `output ${folder}`;
  const isShort = key.length <= limits.concurrencyKeyLengthMax;
  const uniqueKey = isShort ? key : `output ${createHash("sha256").update(folder).digest("hex")}`;
  return { uniqueKey, onConflict: "refuse" };
}

/** Loads and bundles the module. @throws OutlastError `invalid` as `submitMapReduce` does */
export async function prepareMapReduce(module: string | URL, overrides: JobOverrides): Promise<PreparedJob> {
  const path = module instanceof URL || module.startsWith("file:") ? fileURLToPath(module) : resolve(module);
  const code = await bundle(path);
  const job = choose(jobsIn(await load(code)), overrides.job, path);
  return { input: inputOf(job, code, overrides), name: job.name };
}

/** Loads the bundle, and not the source: so what is checked here is what runs there. */
async function load({ text }: JobCode): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "outlast-job-"));
  try {
    const file = join(folder, "job.mjs");
    await writeFile(file, text);
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function choose(jobs: ReadonlyMap<string, MapReduceJob>, wanted: string | undefined, path: string): MapReduceJob {
  const names = [...jobs.keys()].join(", ");
  if (jobs.size === 0) {
    throw new OutlastError("invalid", `${path} exports no job.`, { hint: "Export what mapReduce({ … }) returns." });
  }
  const [only] = jobs.values();
  const job = wanted === undefined ? (jobs.size === 1 ? only : undefined) : jobs.get(wanted);
  if (job !== undefined) return job;
  const message =
    wanted === undefined
      ? `${path} exports several jobs: ${names}.`
      : `${path} exports no job "${wanted}", only ${names}.`;
  throw new OutlastError("invalid", message, { hint: "Say which one to run: --job NAME, or `job` in the overrides." });
}

const isAddress = (path: string) => /^(https?|s3):\/\//.test(path) || path.startsWith(jobPrefix);

const placeOf = (path: string) => (isAddress(path) ? path : resolve(path));

/** One place has one name, by which two jobs that would write to it are told. */
const folderOf = (path: string) => placeOf(path).replace(/(?<=[^/])\/+$/, "");

function inputOf(job: MapReduceJob, code: MapReduceInput["code"], overrides: JobOverrides): MapReduceInput {
  const maps = overrides.maps ?? job.maps;
  const paths = (overrides.input ?? job.input.paths).map(placeOf);
  const params = overrides.params ?? job.params;
  return {
    code,
    job: job.name,
    input: { format: job.input.format, paths },
    ...(maps !== null && { maps }),
    reduces: overrides.reduces ?? job.reduces,
    output: {
      format: job.output.format,
      folder: folderOf(overrides.output ?? job.output.folder),
      ...(overrides.overwrite !== undefined && { overwrite: overrides.overwrite }),
    },
    partition: typeof job.partition === "function" ? "own" : job.partition,
    maxSkipped: job.maxSkipped,
    compression: overrides.compression ?? job.compression,
    ...(!job.backups && { backups: false }),
    recordTimeoutMs: job.recordTimeoutMs,
    ...(params !== null && { params }),
  };
}
