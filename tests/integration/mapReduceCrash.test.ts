/** A whole MapReduce job with its worker, or its leader, killed at every boundary of every task of it: the output stays the same. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mapReduceTask, mapTask, reduceTask } from "../../src/mapreduce/slot/tasks.ts";
import { prepareMapReduce } from "../../src/mapreduce/submit.ts";
import type { Json } from "../../src/model/json.ts";
import { defineTask } from "../../src/sdk/index.ts";
import { crashTest } from "../../src/testing/index.ts";

const module = fileURLToPath(new URL("../e2e/tasks/gatedJob.ts", import.meta.url));
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "outlast-crash-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Runs the job as its own handler, and gives what is in its output folder. */
const probe = defineTask({
  name: "probe",
  async run(input: Json, ctx) {
    await mapReduceTask.execute(input, ctx);
    const { folder } = (input as unknown as { output: { folder: string } }).output;
    const names = readdirSync(folder).sort();
    return names.map((name) => `${name}: ${name.startsWith("part-") ? readFileSync(join(folder, name), "utf8") : ""}`);
  },
});

async function jobInput() {
  const text = join(directory, "text");
  writeFileSync(text, "to be or not to be\n".repeat(50));
  const params = { ledger: join(directory, "ledger"), mapGate: text, reduceGate: text };
  return prepareMapReduce(module, { job: "gated", input: [text], maps: 2, reduces: 2, output: directory, params });
}

const expected = [
  "_SUCCESS: ",
  "_manifest.json: ",
  "part-00000.tsv: ",
  "part-00001.tsv: be\t100\nnot\t50\nor\t50\nto\t100\n",
];

test("whatever is killed wherever, each map and reduce counts once, and the temporary files go", async () => {
  const { input } = await jobInput();
  let runs = 0;
  const inputOf = () => {
    runs += 1;
    const folder = join(directory, `out-${runs}`);
    return { ...input, output: { ...input.output, folder } } as unknown as Json;
  };
  const tasks = { probe, mapTask, reduceTask };
  const report = await crashTest({ tasks, task: () => probe.task(inputOf()), isInsideSteps: true });
  expect(report.boundaries.length).toBeGreaterThan(30);
  for (let run = 1; run <= runs; run += 1) {
    const folder = join(directory, `out-${run}`);
    const found = readdirSync(folder).sort();
    expect(found).toEqual(["_SUCCESS", "_manifest.json", "part-00000.tsv", "part-00001.tsv"]);
    expect(`part-00001.tsv: ${readFileSync(join(folder, "part-00001.tsv"), "utf8")}`).toBe(expected[3]);
    expect(existsSync(join(folder, "_temporary"))).toBe(false);
  }
});
