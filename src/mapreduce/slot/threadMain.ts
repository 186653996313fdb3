/** The thread that runs a job's functions, in the process of a slot. What goes wrong in it ends the thread and nothing else. */
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { limits } from "../../model/limits.ts";
import { legible, messageOf, stackOf } from "../../model/thrown.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { doMap, sampleKeys } from "../coordinator/mapWork.ts";
import { doReduce } from "../coordinator/reduceWork.ts";
import type { JobSettings } from "../coordinator/settings.ts";
import { NotANumber } from "../engine/combiners.ts";
import { BadCounter } from "../engine/counters.ts";
import { Cursor } from "../engine/cursor.ts";
import { KeyTable } from "../engine/keyTable.ts";
import { RecordFailed } from "../engine/mapRun.ts";
import { KeyFailed } from "../engine/reduceRun.ts";
import { UnfitKey } from "../engine/shuffleWriter.ts";
import { clearTable } from "../engine/tableSize.ts";
import { UnfitValue } from "../engine/valueCodec.ts";
import { jobsIn, type MapReduceJob } from "../job.ts";
import type { SlotFiles } from "./jobFiles.ts";
import { filesOf } from "./jobPlace.ts";
import { openInput } from "./openInput.ts";
import { ScratchFile } from "./scratchFile.ts";
import type { FromThread, ThreadFailure, ThreadResult, ThreadTask, ToThread } from "./threadProtocol.ts";

const cursor = new Cursor(workerData as SharedArrayBuffer);
const table = new KeyTable();
/** One module per thread: another one gets a thread of its own. */
let loaded: ReadonlyMap<string, MapReduceJob> | null = null;

async function run({ settings, task }: ToThread): Promise<ThreadResult> {
  const files = await filesOf(settings.folder, settings.id);
  try {
    return await runOn(files, settings, task);
  } finally {
    // A reduce leaves in it all that it has read, which an idle slot need not hold.
    clearTable(table, limits.jobMapMemoryBytes);
    await files.close();
  }
}

async function runOn(files: SlotFiles, settings: JobSettings, task: ThreadTask): Promise<ThreadResult> {
  const job = await load(settings, files);
  const parts = { settings, job, cursor, table, open: openInput, openScratch: () => new ScratchFile() };
  switch (task.kind) {
    case "check":
      return null;
    case "map":
      return doMap(parts, files, task);
    case "reduce":
      return doReduce(parts, files, task);
    case "sample":
      return { keys: await sampleKeys(parts, task.ranges) };
    default:
      return task satisfies never;
  }
}

async function load(settings: JobSettings, files: SlotFiles): Promise<MapReduceJob> {
  if (loaded === null) {
    process.setSourceMapsEnabled(true);
    loaded = await files.withLocal(settings.code, async (path) => {
      try {
        const module = (await cursor.load(() => import(pathToFileURL(path).href))) as Record<string, unknown>;
        return jobsIn(module);
      } catch (error) {
        throw new NonRetryableError(`The module of the job cannot be loaded: ${legible(() => error)}`, {
          cause: error,
        });
      }
    });
  }
  const job = loaded.get(settings.job);
  if (job === undefined) throw new NonRetryableError(`The module exports no job "${settings.job}".`);
  return job;
}

/** Errors that the user's code makes again with the same input. */
const finalErrors = [NotANumber, UnfitValue, UnfitKey, BadCounter, NonRetryableError];

function failureOf(error: unknown): ThreadFailure {
  const message = messageOf(error);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : null;
  const log = stackOf(cause ?? error);
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
