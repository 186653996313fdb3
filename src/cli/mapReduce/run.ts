/** Runs `outlast map-reduce`: finds or starts a cluster, submits the job, shows its progress, and checks its output. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type JobOverrides, prepareMapReduce, submitPrepared } from "../../mapreduce/submit.ts";
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { defaults } from "../../model/limits.ts";
import type { TaskDocument } from "../../model/task.ts";
import { S3Failure } from "../../s3/failure.ts";
import type { Outlast } from "../../sdk/client.ts";
import { type Context, impatient } from "../context.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { UsageError } from "../failure.ts";
import type { MapReduceFlags } from "../flags.ts";
import { commonFields } from "../submitOptions.ts";
import { resolveCorpora } from "./corpus.ts";
import { OwnCluster } from "./localCluster.ts";
import { OutputElsewhere, type OutputPlace, outputPlace } from "./outputPlace.ts";
import { JobProgress } from "./progress.ts";
import { reportJob } from "./report.ts";
import { verifyOutput } from "./verify.ts";

export async function runMapReduce(context: Context, file: string, flags: MapReduceFlags): Promise<ExitCode> {
  if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`);
  const { corpus, detach = false } = flags;
  const input = corpus === undefined ? undefined : await resolveCorpora(corpus, context.output);
  const isOwn = await isOwnNeeded(context, flags);
  if (isOwn && detach) throw new UsageError("--detach needs a cluster that goes on running.");
  // On one machine, compressing costs more than it saves.
  const overrides = { ...(isOwn && { compression: "none" as const }), ...overridesOf(flags, input) };
  const preparing = prepareMapReduce(file, overrides).catch((error: unknown) => {
    // It would look like the refusal of a master.
    throw error instanceof OutlastError ? new UsageError(error.message, error.details.hint ?? null) : error;
  });
  // While the cluster starts. It is awaited where that can be stopped again.
  preparing.catch(() => undefined);
  /** A job that has begun and not ended: on a cluster of this command's own it never will, if the command does. */
  let begun: { readonly id: string; readonly folder: string } | null = null;
  const own = isOwn ? await OwnCluster.start(flags.workers ?? availableParallelism(), flags) : null;
  try {
    if (own !== null) context.output.note(`Started a master and workers of its own at ${own.address}.`);
    const client = await context.client(
      own === null ? {} : { masters: own.address, token: null, retryForMs: defaults.clientRetryForMs },
    );
    const prepared = await preparing;
    const job = await submitPrepared(client, prepared, overrides);
    begun = { id: job.id, folder: prepared.input.output.folder };
    if (!context.output.isJson && detach) context.output.line(job.id);
    if (detach) return exitCodes.ok;
    const code = await waitFor(context, client, job.id);
    begun = null;
    return code;
  } finally {
    await own?.stop();
    if (own !== null && begun !== null) await removeFilesOf(context, begun);
  }
}

/** When this fails, what has ended the command is still what people should hear of. */
async function removeFilesOf(
  context: Context,
  { id, folder }: { readonly id: string; readonly folder: string },
): Promise<void> {
  await inOutput(context, folder, (place) => place.removeTemporary(id)).catch((error: unknown) => {
    context.output.note(`The files of job ${id} in ${folder}/_temporary could not be removed: ${String(error)}`);
  });
}

/** Only where the user names no masters and none answers at the usual address: one that refuses this user is there. */
async function isOwnNeeded(context: Context, { local = false }: MapReduceFlags): Promise<boolean> {
  if (local) return true;
  const [only, ...others] = context.options.masters;
  if (others.length > 0 || only !== `http://${defaults.address}:${defaults.port}`) return false;
  const client = await context.client(impatient);
  return client.list({ limit: 1 }).then(
    () => false,
    (error: unknown) => error instanceof OutlastError && error.details["reason"] === "unreachable",
  );
}

function overridesOf(flags: MapReduceFlags, input: readonly string[] | undefined): JobOverrides {
  const { id, name, maps, reduces, output, overwrite, job, params, compression } = flags;
  const given = { id, name, maps, reduces, output, overwrite, job, params, compression, input, ...commonFields(flags) };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function waitFor(context: Context, client: Outlast, id: string): Promise<ExitCode> {
  const { output, signal } = context;
  output.note(`Job ${id}`);
  const startedAt = performance.now();
  const progress = new JobProgress(id);
  const following = new AbortController();
  const followed = progress.follow(client, following.signal, noteSometimes(context));
  let task: TaskDocument;
  try {
    task = await client.wait(id, { signal });
  } finally {
    following.abort();
    await followed;
  }
  const ms = performance.now() - startedAt;
  if (task.state !== "success") return fail(context, task);
  const summary = task.output as { readonly [field: string]: Json };
  const { folder } = summary;
  const isVerified =
    typeof folder === "string" && (await inOutput(context, folder, (place) => verifyOutput(place, folder, id)));
  reportJob(output, summary, { ms, kills: progress.kills, isVerified });
  return exitCodes.ok;
}

/** Does something with the output, if it can be reached from here: only the workers need its credentials. @returns whether it was done */
async function inOutput(
  { output }: Context,
  folder: string,
  work: (place: OutputPlace) => Promise<void>,
): Promise<boolean> {
  const place = await outputPlace(folder);
  try {
    await work(place);
    return true;
  } catch (error) {
    if (!(error instanceof S3Failure || error instanceof OutputElsewhere)) throw error;
    output.note(`This command cannot look at the output itself: ${error.message}`);
    return false;
  } finally {
    await place.close();
  }
}

/** A job that was cancelled has nobody left who could remove what it had in its output folder. */
async function fail(context: Context, task: TaskDocument): Promise<ExitCode> {
  const { output } = context;
  const { input } = task;
  const target = typeof input === "object" && input !== null && !Array.isArray(input) ? input["output"] : null;
  if (typeof target === "object" && target !== null && !Array.isArray(target) && typeof target["folder"] === "string") {
    await inOutput(context, target["folder"], (place) => place.removeTemporary(task.id));
  }
  if (output.isJson) output.document(task);
  else output.complain(`The job ended as ${task.state}${task.error === undefined ? "" : `: ${task.error.message}`}`);
  return exitCodes.failed;
}

const noteMs = 1000;

function noteSometimes({ output }: Context): (text: string) => void {
  let notedAt = Number.NEGATIVE_INFINITY;
  return (text) => {
    const now = performance.now();
    if (now - notedAt < noteMs) return;
    notedAt = now;
    output.note(text);
  };
}
