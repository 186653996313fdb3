/** Runs tasks of jobs in a thread, and ends it when a record takes too long. The thread is kept for the next task of the same module. */
import { extname } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { Worker } from "node:worker_threads";
import { limits } from "../../model/limits.ts";
import { startThread } from "../../threads/thread.ts";
import { BrokenTask } from "../coordinator/brokenTask.ts";
import type { JobSettings } from "../coordinator/settings.ts";
import { Cursor } from "../engine/cursor.ts";
import { moduleMsMax, RecordWatch } from "./recordWatch.ts";
import type { FromThread, ThreadResult, ThreadTask, ToThread } from "./threadProtocol.ts";

/**
 * How much code V8 puts into one compiled function, in bytes of its bytecode. By itself it stops at 920, in the middle of what an emitted
 * pair goes through, and calls the rest for each pair.
 */
const inlinedBytesMax = 3000;
setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${inlinedBytesMax}`);

/** How often the cursor is looked at. */
const lookMs = 250;

export interface ThreadOptions {
  /** Called while it runs. */
  readonly onProgress: (cursor: Cursor) => void;
  readonly log: (text: string) => void;
}

let current: { readonly thread: Worker; readonly code: string; readonly cursor: Cursor } | null = null;

/** The end of the task before: a process has one thread for user code, and that runs one task at a time. */
let before: Promise<unknown> = Promise.resolve();

/** Runs one task, after those that came before. @throws BrokenTask */
export function runInThread(settings: JobSettings, task: ThreadTask, options: ThreadOptions): Promise<ThreadResult> {
  const mine = before.then(() => run(settings, task, options));
  before = mine.catch(() => undefined);
  return mine;
}

async function run(settings: JobSettings, task: ThreadTask, { onProgress, log }: ThreadOptions): Promise<ThreadResult> {
  const { thread, cursor } = await threadFor(settings.code.sha256);
  cursor.reset();
  thread.ref();
  const settled = Promise.withResolvers<ThreadResult>();
  const atRecord = () => {
    if (cursor.records === 0 || cursor.running === "call") return null;
    const hasRanges = task.kind === "map" || task.kind === "sample";
    return hasRanges ? { range: cursor.file, offset: cursor.offset } : null;
  };
  const fail = (kind: BrokenTask["kind"], message: string) => settled.reject(new BrokenTask(kind, message, atRecord()));
  const onMessage = (message: FromThread) => {
    if ("result" in message) return settled.resolve(message.result);
    log(message.failure.log);
    fail(message.failure.kind, message.failure.message);
  };
  const onError = (error: Error & { code?: string }) => {
    log(error.stack ?? error.message);
    if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
      return fail(
        "crash",
        `${whereIs(task, cursor)}: it used up the ${limits.jobHeapMiBMax} MiB of memory of its thread`,
      );
    }
    fail("crash", `${whereIs(task, cursor)}: ${error.name}: ${error.message}`);
  };
  const onExit = (code: number) => fail("crash", `${whereIs(task, cursor)}: its thread ended with code ${code}`);
  thread.on("message", onMessage).on("error", onError).on("exit", onExit);
  const watch = watchCursor(cursor, settings.recordTimeoutMs, onProgress, () => {
    const { recordTimeoutMs } = settings;
    const msMax = cursor.running === "module" ? moduleMsMax(recordTimeoutMs) : recordTimeoutMs;
    fail("crash", `${whereIs(task, cursor)}: it took longer than ${msMax} ms`);
  });
  thread.postMessage({ settings, task } satisfies ToThread);
  try {
    const result = await settled.promise;
    onProgress(cursor);
    return result;
  } catch (error) {
    // Whatever it did is not known; another thread is soon made.
    await endThread();
    throw error;
  } finally {
    clearInterval(watch);
    thread.off("message", onMessage).off("error", onError).off("exit", onExit);
    thread.unref();
  }
}

function watchCursor(
  cursor: Cursor,
  recordTimeoutMs: number,
  onProgress: (cursor: Cursor) => void,
  onStuck: () => void,
): NodeJS.Timeout {
  const watch = new RecordWatch(recordTimeoutMs, performance.now());
  return setInterval(() => {
    const { hasMoved, isStuck } = watch.look(cursor, performance.now());
    if (hasMoved) onProgress(cursor);
    if (isStuck) onStuck();
  }, lookMs);
}

function whereIs(task: ThreadTask, cursor: Cursor): string {
  if (cursor.running === "module") return "While the module of the job was loaded";
  if (cursor.running === "call") return "In the combine or partition of the job";
  if (cursor.records === 0) return "Before its first record";
  if (task.kind === "reduce") return `In the reduce of key ${JSON.stringify(cursor.key)}`;
  const range = task.kind === "check" ? undefined : task.ranges[cursor.file];
  return `In the record at ${range?.file.path ?? "?"}, byte ${cursor.offset}`;
}

async function threadFor(code: string): Promise<NonNullable<typeof current>> {
  if (current !== null && current.code === code) return current;
  await endThread();
  const cursor = new Cursor();
  const program = new URL(`./threadMain${extname(import.meta.url)}`, import.meta.url);
  const thread = startThread(program, {
    workerData: cursor.memory,
    resourceLimits: { maxOldGenerationSizeMb: limits.jobHeapMiBMax },
    name: "job",
  });
  thread.on("error", () => undefined);
  thread.on("exit", () => {
    if (current?.thread === thread) current = null;
  });
  current = { thread, code, cursor };
  return current;
}

async function endThread(): Promise<void> {
  const ended = current;
  current = null;
  await ended?.thread.terminate();
}
