/** The thread that runs a job's functions, in the process of a slot. What goes wrong in it ends the thread and nothing else. */
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { limits } from "../../model/limits.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { columnFor, NotANumber } from "../engine/combiners.ts";
import { BadCounter } from "../engine/counters.ts";
import { Cursor } from "../engine/cursor.ts";
import { extentsOf } from "../engine/mapFile.ts";
import {
  type Emitter,
  type MapContext,
  type MapFigures,
  RecordFailed,
  runMap,
  type UserMap,
} from "../engine/mapRun.ts";
import { OutputWriter } from "../engine/outputWriter.ts";
import { rangeOf } from "../engine/rangePartition.ts";
import { KeyFailed, runReduce } from "../engine/reduceRun.ts";
import { ReduceTable } from "../engine/reduceTable.ts";
import { blocksOf, DamagedSegment } from "../engine/segment.ts";
import { ShuffleWriter, UnfitKey } from "../engine/shuffleWriter.ts";
import { UnfitValue } from "../engine/valueCodec.ts";
import { jobsIn, type MapReduceJob } from "../job.ts";
import { openInput } from "./inputFiles.ts";
import { JobFiles } from "./jobFiles.ts";
import { ScratchFile } from "./scratchFile.ts";
import type {
  FromThread,
  JobSettings,
  MapManifest,
  PlannedRange,
  ReduceResult,
  ThreadFailure,
  ThreadResult,
  ThreadTask,
  ToThread,
} from "./threadProtocol.ts";

const cursor = new Cursor(workerData as SharedArrayBuffer);
/** One module per thread: another one gets a thread of its own. */
let loaded: ReadonlyMap<string, MapReduceJob> | null = null;

async function run({ settings, task }: ToThread): Promise<ThreadResult> {
  const files = new JobFiles(settings.folder, settings.id);
  const job = await load(settings, files);
  switch (task.kind) {
    case "check":
      return null;
    case "map":
      return map(settings, job, files, task);
    case "reduce":
      return reduce(settings, job, files, task);
    case "sample":
      return sample(settings, job, task.ranges);
    default:
      return task satisfies never;
  }
}

async function load(settings: JobSettings, files: JobFiles): Promise<MapReduceJob> {
  if (loaded === null) {
    process.setSourceMapsEnabled(true);
    await files.text(settings.code);
    try {
      const url = pathToFileURL(files.pathOf(settings.code.name)).href;
      loaded = jobsIn((await import(url)) as Record<string, unknown>);
    } catch (error) {
      throw new NonRetryableError(`The module of the job cannot be loaded: ${String(error)}`, { cause: error });
    }
  }
  const job = loaded.get(settings.job);
  if (job === undefined) throw new NonRetryableError(`The module exports no job "${settings.job}".`);
  return job;
}

async function map(
  settings: JobSettings,
  job: MapReduceJob,
  files: JobFiles,
  { map: index, ranges, poison }: ThreadTask & { kind: "map" },
): Promise<MapManifest> {
  const file = files.create(`map/${String(index).padStart(5, "0")}`);
  try {
    const emitter = new ShuffleWriter({
      partitions: settings.reduces,
      partition: partitionerOf(settings, job),
      column: columnFor(job.combine),
      memoryBytes: limits.jobMapMemoryBytes,
      codec: settings.compression,
      sink: (bytes) => file.write(bytes),
    });
    const figures = await runRanges(settings, job, ranges, emitter, new Set(poison));
    const { records: pairs, runs } = emitter.end();
    return { map: index, ...file.end(), ...figures, pairs, runs };
  } finally {
    file.abandon();
  }
}

async function runRanges(
  settings: JobSettings,
  job: MapReduceJob,
  ranges: readonly PlannedRange[],
  emitter: Emitter,
  poison: ReadonlySet<string>,
): Promise<MapFigures> {
  const userMap: UserMap = {
    format: settings.format,
    map: (record: unknown, emit: unknown, ctx: MapContext) => job.map(record as never, emit as never, ctx),
  };
  const opened: Awaited<ReturnType<typeof openInput>>[] = [];
  try {
    return await runMap({
      user: userMap,
      ranges: ranges.map(({ start, end }, index) => ({ file: index, start, end })),
      paths: ranges.map(({ file }) => file.path),
      async open(index) {
        const range = ranges[index];
        if (range === undefined) throw new Error("there is no such range");
        const input = await openInput(range.file);
        opened.push(input);
        return input;
      },
      emitter,
      cursor,
      params: settings.params,
      skippedMax: settings.skippedMax ?? Number.POSITIVE_INFINITY,
      poison,
    });
  } finally {
    for (const input of opened) await input.close();
  }
}

function partitionerOf(settings: JobSettings, job: MapReduceJob): ((key: string) => number) | null {
  const { partition, reduces } = settings;
  const own = job.partition;
  if (partition === "hash") return null;
  if (partition === "own" && typeof own === "function") return (key) => own(key, reduces);
  const boundaries = settings.boundaries.map((key) => Buffer.from(key));
  return (key) => rangeOf(key, boundaries);
}

/** Keys of the first records of each range. */
async function sample(
  settings: JobSettings,
  job: MapReduceJob,
  ranges: readonly PlannedRange[],
): Promise<ThreadResult> {
  const keys: string[] = [];
  const take = (key: string) => {
    if (keys.length < limits.jobSampledKeysMax) keys.push(key);
  };
  const emitter: Emitter = {
    emitText: take,
    emitBytes: (bytes, start, end) => take(Buffer.from(bytes.subarray(start, end)).toString()),
  };
  await runRanges({ ...settings, skippedMax: null }, job, ranges, emitter, new Set());
  return { keys };
}

async function reduce(
  settings: JobSettings,
  job: MapReduceJob,
  files: JobFiles,
  { partition, manifests }: ThreadTask & { kind: "reduce" },
): Promise<ReduceResult> {
  const maps = JSON.parse(await files.text(manifests)) as readonly MapManifest[];
  const scratches: ScratchFile[] = [];
  const openScratch = () => {
    const scratch = new ScratchFile();
    scratches.push(scratch);
    return scratch;
  };
  const column = columnFor(job.combine);
  const table = new ReduceTable({ column, memoryBytes: limits.jobReduceMemoryBytes, openScratch });
  const lost: number[] = [];
  let reason = "";
  let shuffledBytes = 0;
  for (const manifest of maps) {
    try {
      shuffledBytes += await fold(table, files, manifest, partition, settings.reduces);
    } catch (error) {
      if (!(error instanceof DamagedSegment)) throw error;
      lost.push(manifest.map);
      reason ||= error.message;
    }
  }
  if (lost.length > 0) return { lost, reason };
  const file = files.create(`reduce/${String(partition).padStart(5, "0")}`);
  try {
    const writer = new OutputWriter(settings.outputFormat, (bytes) => file.write(bytes));
    const { params } = settings;
    const figures = await runReduce({ groups: table.groups(), reduce: job.reduce, params, writer, cursor });
    return { part: { partition, ...file.end(), records: writer.records, shuffledBytes, ...figures } };
  } finally {
    file.abandon();
    for (const scratch of scratches) scratch.close();
  }
}

/** @throws DamagedSegment */
async function fold(
  table: ReduceTable,
  files: JobFiles,
  manifest: MapManifest,
  partition: number,
  partitions: number,
): Promise<number> {
  const file = await files.read(manifest);
  let bytes = 0;
  try {
    for (const extent of await extentsOf(manifest.size, partition, partitions, file.readAt)) {
      for await (const block of blocksOf(extent, file.readAt)) table.fold(block);
      bytes += extent.length;
    }
    cursor.addBytes(bytes);
    return bytes;
  } finally {
    file.close();
  }
}

/** Errors that the user's code makes again with the same input. */
const finalErrors = [NotANumber, UnfitValue, UnfitKey, BadCounter, NonRetryableError];

function failureOf(error: unknown): ThreadFailure {
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : null;
  const log = (cause ?? (error instanceof Error ? error : null))?.stack ?? message;
  if (error instanceof RecordFailed || error instanceof KeyFailed) {
    const isFinal = finalErrors.some((kind) => cause instanceof kind);
    return { kind: isFinal ? "final" : "record", message, log };
  }
  return { kind: finalErrors.some((kind) => error instanceof kind) ? "final" : "error", message, log };
}

parentPort?.on("message", (message: ToThread) => {
  cursor.reset();
  run(message).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ failure: failureOf(error) }),
  );
});

function answer(message: FromThread): void {
  parentPort?.postMessage(message);
}
