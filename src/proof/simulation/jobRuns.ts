/** MapReduce jobs, maps and reduces in the simulator: the product's own code over a simulated folder; only the threads are missing. */

import { BrokenTask } from "../../mapreduce/coordinator/brokenTask.ts";
import { childOptions, runMapTask, runReduceTask, type WorkRunner } from "../../mapreduce/coordinator/childRuns.ts";
import { runJob } from "../../mapreduce/coordinator/jobRun.ts";
import { doMap } from "../../mapreduce/coordinator/mapWork.ts";
import { doReduce } from "../../mapreduce/coordinator/reduceWork.ts";
import type { MapInput, PlannedFile, PlannedRange, ReduceInput } from "../../mapreduce/coordinator/settings.ts";
import { type JobStore, writeText } from "../../mapreduce/coordinator/store.ts";
import { divide } from "../../mapreduce/engine/byteRanges.ts";
import { Cursor } from "../../mapreduce/engine/cursor.ts";
import { KeyTable } from "../../mapreduce/engine/keyTable.ts";
import { poisonKey } from "../../mapreduce/engine/mapRun.ts";
import { lines, mapReduce, tsv } from "../../mapreduce/job.ts";
import type { StepsPage } from "../../model/family.ts";
import { attemptKey, type TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { type MapReduceInput, mapKindName, mapReduceKindName, reduceKindName } from "../../model/kinds/mapReduce.ts";
import type { Assignment } from "../../model/protocol.ts";
import { AttemptOver, type AttemptSession } from "../../ports/work.ts";
import type { TaskContext } from "../../sdk/handler/context.ts";
import { defineBuiltIn } from "../../sdk/handler/definition.ts";
import { HandlerRun } from "../../sdk/handler/handlerRun.ts";
import type { AttemptStart, HandlerEnd } from "../../sdk/handler/port.ts";
import { hashText } from "../checkers/hashText.ts";
import { deadlyWord, textOf } from "../checkers/jobs.ts";
import type { JobDisk } from "./jobDisk.ts";
import type { Random } from "./random.ts";

/** The error of an attempt that died at a record that the next one survives. */
export const harmlessRecordMessage = "simulated crash at a harmless record";

export const jobKinds: readonly string[] = [mapReduceKindName, mapKindName, reduceKindName];

/** What a run of such a task needs of its execution. */
export interface JobHost {
  readonly assignment: Assignment;
  readonly session: AttemptSession;
  readonly token: string;
  readonly disk: JobDisk;
  readonly random: Random;
  readonly now: () => number;
  /** In virtual time; the callback is not called once the execution is over. */
  readonly after: (ms: number, callback: () => void) => { cancel(): void };
}

const wordcount = mapReduce({
  name: "wordcount",
  input: lines("text"),
  map(line: string, emit: (word: string, count: number) => void) {
    for (const word of line.split(" ")) if (word !== "") emit(word, 1);
  },
  combine: "sum",
  output: tsv("out"),
});

export async function runJobTask(host: JobHost): Promise<HandlerEnd> {
  const { session, after, now } = host;
  const start = await startOf(host);
  const run: HandlerRun = new HandlerRun(definitionFor(host), start, {
    send: (content) => session.send(content),
    tell: (content) => session.tell(content),
    readChildren: (key, from) => orNever(session.readChildren(key, from)),
    now,
    after(ms, callback) {
      const planned = after(ms, callback);
      return () => planned.cancel();
    },
    log: () => {},
    onWaiting: () => void after(1, () => run.isWaiting && run.settle()),
  });
  run.run();
  return run.ended;
}

async function startOf({ assignment, session }: JobHost): Promise<AttemptStart> {
  const { task, attempt, kind, input, parent = null } = assignment;
  const steps: AttemptStart["steps"][number][] = [];
  const sets: AttemptStart["sets"][number][] = [];
  for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
    const page: StepsPage = await orNever(session.readSteps(after));
    for (const { key, step } of page.steps) steps.push([key, step]);
    sets.push(...(page.family?.sets ?? []));
    after = page.next;
  }
  return { task, attempt, kind, input, parent, deadlineAt: null, steps, sets };
}

function definitionFor(host: JobHost) {
  const { kind } = host.assignment;
  const runner = runnerFor(host);
  const options = { ...childOptions, backoffBaseMs: 50, backoffMaxMs: 1_000 };
  const mapTask = defineBuiltIn<MapInput, object>({
    name: mapKindName,
    ...options,
    run: async (input, ctx) => withToken(host, await runMapTask(input, ctx, runner)),
  });
  if (kind === mapKindName) return mapTask;
  const reduceTask = defineBuiltIn<ReduceInput, object>({
    name: reduceKindName,
    ...options,
    run: async (input, ctx) => withToken(host, await runReduceTask(input, ctx, runner)),
  });
  if (kind === reduceKindName) return reduceTask;
  return defineBuiltIn<MapReduceInput, object>({
    name: mapReduceKindName,
    async run(input, ctx) {
      const store = storeFor(host, ctx.taskId as TaskId, input.output.folder);
      const files = input.input.paths.map((path) => ({ path, size: textOf(path).length, version: "1" }));
      const summary = await runJob(input, ctx, {
        store,
        makePlan: async () => makePlan(store, files, input),
        rangesOf: async (plan) => {
          const found = JSON.parse(await store.text(plan.input)) as PlannedFile[];
          return divide(found, plan.maps).map((ranges) => ranges.flatMap((range) => planned(range, found)));
        },
        mapTask: (map, name) => mapTask.task(map, { name }) as never,
        reduceTask: (reduce, name) => reduceTask.task(reduce, { name }) as never,
        now: host.now,
      });
      return withToken(host, summary);
    },
  });
}

async function makePlan(store: JobStore, files: readonly PlannedFile[], { maps = 1 }: MapReduceInput) {
  const input = await writeText(store, "job/input", JSON.stringify(files));
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { maps, bytes, files: files.length, input, code: await writeText(store, "job/code", ""), boundaries: [] };
}

function planned({ file, start, end }: { file: number; start: number; end: number }, found: readonly PlannedFile[]) {
  const there = found[file];
  return there === undefined ? [] : [{ file: there, start, end }];
}

/** Takes virtual time before and after the work; some attempts fail, before or after it, some die at a harmless record, and none survives a deadly one. */
function runnerFor(host: JobHost): WorkRunner {
  const { random } = host;
  const { task, attempt } = host.assignment;
  const key = attemptKey(task, attempt);
  const fail = ({ params }: MapInput["settings"], when: string) => {
    const { failPercent } = params as { failPercent: number };
    if (hashText(`${when} ${key}`) % 100 < failPercent) throw new BrokenTask("error", "simulated failure", null);
  };
  const begin = async (settings: MapInput["settings"], ctx: TaskContext) => {
    const { taskMsMax } = settings.params as { taskMsMax: number };
    const ms = random.spread(1, taskMsMax);
    const isSlow = hashText(`slow ${key}`) % 12 === 0;
    await pass(ctx, host, isSlow ? 20_000 + ms : ms);
    fail(settings, "early");
    const inMemory = { cursor: new Cursor(), table: new KeyTable(), open: openText, openScratch: noScratch };
    const parts = { settings, job: wordcount, ...inMemory };
    return { parts, store: storeFor(host, settings.id as TaskId, settings.folder) };
  };
  /** Its file is there, and its result on the way. */
  const end = () => pauseOf(host, random.chance(0.1) ? random.spread(20, 3_000) : random.integer(0, 20));
  return {
    async map(settings, work, ctx) {
      const { parts, store } = await begin(settings, ctx);
      for (const [index, range] of work.ranges.entries()) meetDeadly(range, index, work.poison);
      if (attempt === 1 && hashText(`harmless ${key}`) % 8 === 0) dieAtFirstRecord(work.ranges);
      const manifest = await doMap(parts, store, work);
      await end();
      fail(settings, "late");
      return manifest;
    },
    async reduce(settings, work, ctx) {
      const { parts, store } = await begin(settings, ctx);
      const result = await doReduce(parts, store, work);
      await end();
      // Where files were harmed, a failure by chance would look like one by the harm.
      if ("part" in result && !host.disk.isHarmed(settings.id as TaskId)) fail(settings, "late");
      return result;
    },
  };
}

/** Takes its time, and says how far it is. */
async function pass(ctx: TaskContext, host: JobHost, ms: number): Promise<void> {
  const parts = 4;
  for (let part = 0; part < parts; part += 1) {
    await pauseOf(host, ms / parts);
    ctx.progress(part + 1, parts);
  }
}

/** @throws BrokenTask */
function meetDeadly({ file, start, end }: PlannedRange, index: number, poison: readonly string[]): void {
  const offset = textOf(file.path).indexOf(deadlyWord);
  if (offset < start || offset >= end || poison.includes(poisonKey(index, offset))) return;
  throw new BrokenTask("crash", "simulated crash", { range: index, offset });
}

/** Of something else than the record: the next attempt survives it. @throws BrokenTask */
function dieAtFirstRecord(ranges: readonly PlannedRange[]): void {
  for (const [index, { file, start, end }] of ranges.entries()) {
    const offset = start === 0 ? 0 : textOf(file.path).indexOf("\n", start - 1) + 1;
    if (offset >= start && offset < end) throw new BrokenTask("crash", harmlessRecordMessage, { range: index, offset });
  }
}

async function openText({ path }: PlannedFile) {
  const text = Buffer.from(textOf(path));
  const read = (target: Buffer, position: number) => text.copy(target, 0, position);
  return { read, close: async () => {} };
}

function noScratch(): never {
  throw new Error("a simulated reduce has more keys than fit into its memory");
}

function storeFor(host: JobHost, job: TaskId, folder: string): JobStore {
  const { disk, token, random } = host;
  return disk.storeFor({ job, folder, token, random, pause: (ms) => pauseOf(host, ms) });
}

function pauseOf({ after }: JobHost, ms: number): Promise<void> {
  return new Promise((resolve) => after(ms, resolve));
}

/** Results name their execution, as those of all simulated tasks do. */
function withToken({ token }: JobHost, result: object): object & { readonly token: Json } {
  return { ...result, token };
}

/** Nothing is left of an attempt that is over. */
function orNever<Answer>(answer: Promise<Answer>): Promise<Answer> {
  return answer.catch((error: unknown) => {
    if (error instanceof AttemptOver) return new Promise<never>(() => {});
    throw error;
  });
}
