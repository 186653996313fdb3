/** What a job does when something of it fails: which errors another attempt may survive, what it keeps for that, and when it ends. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Json } from "../../model/json.ts";
import type { MapReduceInput } from "../../model/kinds/mapReduce.ts";
import { limits } from "../../model/limits.ts";
import { ScriptedLeader } from "../../proof/fakes/scriptedLeader.ts";
import { defineTask } from "../../sdk/handler/definition.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { type JobParts, runJob } from "../coordinator/jobRun.ts";
import type { MapManifest, Plan } from "../coordinator/settings.ts";
import { writeText } from "../coordinator/store.ts";
import { JobFiles } from "./jobFiles.ts";

let folder = "";
let leader: ScriptedLeader;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outlast-job-run-"));
  leader = new ScriptedLeader();
});
afterEach(() => rmSync(folder, { recursive: true }));

const work = defineTask({ name: "work", run: async (_input: Json) => null });

/** The job as a handler, with `makePlan` in the place of its own. */
function jobWith(makePlan: (store: JobFiles) => Promise<Plan>, maps = 1) {
  const input: MapReduceInput = {
    ...{ code: { sha256: "", text: "" }, job: "lengths", reduces: 1, partition: "hash" },
    input: { format: "lines", paths: ["unused"] },
    output: { format: "tsv", folder },
  };
  const store = new JobFiles(folder, "task-1");
  const ranges = Array.from({ length: maps }, () => []);
  const parts: JobParts = {
    store,
    makePlan: () => makePlan(store),
    rangesOf: async () => ranges,
    mapTask: (map, name) => work.task(map as unknown as Json, { name }) as never,
    reduceTask: (reduce, name) => work.task(reduce as unknown as Json, { name }) as never,
    now: () => 0,
  };
  return defineTask({ name: "job", run: async (_input: Json, ctx) => (await runJob(input, ctx, parts)) as never });
}

async function planFor(store: JobFiles, maps: number): Promise<Plan> {
  const [input, code] = [await writeText(store, "job/input", "[]"), await writeText(store, "job/code", "")];
  return { maps, bytes: 0, files: 1, input, code, boundaries: [] };
}

/** The leader's own way counts turns of the event loop, and a disk takes as many as it likes. */
async function runToWaits(job: ReturnType<typeof jobWith>) {
  const ended = leader.run(job);
  await vi.waitFor(() => expect(leader.current?.isWaiting).toBe(true));
  leader.settle();
  return ended;
}

const manifest = (map: number, counters: MapManifest["counters"]): { output: Json } => ({
  output: {
    ...{ map, name: "map", size: 0, sha256: "", pairs: 0, runs: 1, bytes: 0, records: 0, skipped: 0 },
    ...{ skippedRecords: [], counters },
  },
});

test("a plan that fails is made by the next attempt, for which the place of the job stays", async () => {
  let plans = 0;
  const job = jobWith(async (store) => {
    plans += 1;
    if (plans === 1) throw new Error("the share is away");
    return planFor(store, 1);
  });
  expect(await leader.run(job)).toMatchObject({
    outcome: "failed",
    error: { code: "error", message: "the share is away" },
  });
  expect(readdirSync(join(folder, "_temporary/task-1")).sort()).toEqual(["job", "map", "reduce"]);
  expect(await runToWaits(job)).toMatchObject({ outcome: "suspended", waits: [{ kind: "children", key: "maps" }] });
  expect(plans).toBe(2);
  expect(leader.items).toEqual(["step started", "step plan", "children maps"]);
});

test("a plan that no attempt can make ends the job, and nothing of it stays", async () => {
  const job = jobWith(async () => {
    throw new NonRetryableError("There is no input.");
  });
  expect(await leader.run(job)).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
  expect(existsSync(join(folder, "_temporary"))).toBe(false);
});

test("maps that have too many counters together end the job before its reduces", async () => {
  const job = jobWith((store) => planFor(store, 2), 2);
  await runToWaits(job);
  const named = (prefix: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 1]));
  leader.endChildren("maps", [manifest(0, named("a", limits.jobCountersMax)), manifest(1, named("b", 1))]);
  expect(await leader.run(job)).toMatchObject({
    outcome: "failed",
    error: { code: "non-retryable", message: expect.stringContaining(`at most ${limits.jobCountersMax} counters`) },
  });
  expect(leader.items).not.toContain("children reduces");
  expect(existsSync(join(folder, "_temporary"))).toBe(false);
});
