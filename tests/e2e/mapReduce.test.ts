/** MapReduce jobs on real clusters: whatever dies or is lost, the output is that of a plain program. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type JobOverrides, submitMapReduce } from "../../src/mapreduce/index.ts";
import { type Scene, scene } from "./scene.ts";

const jobs = fileURLToPath(new URL("./tasks/gatedJob.ts", import.meta.url));

function linesIn(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

function outputOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("part-"))
    .flatMap((name) => linesIn(join(folder, name)).filter((line) => line !== ""));
}

function counted(text: string): string[] {
  const counts = new Map<string, number>();
  for (const line of text.trimEnd().split("\n")) {
    for (const word of line.split(" ")) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${word}\t${count}`).sort();
}

/** A job over `text` whose maps and reduces wait at gates. */
async function gatedJob(play: Scene, text: string, overrides: JobOverrides) {
  const places = {
    input: join(play.directory, "input.txt"),
    output: join(play.directory, "out"),
    ledger: join(play.directory, "ledger"),
    mapGate: join(play.directory, "map-gate"),
    reduceGate: join(play.directory, "reduce-gate"),
  };
  writeFileSync(places.input, text);
  const { ledger, mapGate, reduceGate } = places;
  const job = await submitMapReduce(play.client, jobs, {
    job: "gated",
    id: "job",
    input: [places.input],
    output: places.output,
    params: { ledger, mapGate, reduceGate },
    ...overrides,
  });
  return { ...places, job };
}

const manyLines = (count: number) => Array.from({ length: count }, (_, index) => `to be ${index} or not to be`);

describe("a job", () => {
  test("goes on when its leader and a worker die in the map phase, and another worker in the reduce phase", () =>
    scene(["master", "worker-1", "worker-2"], async (play) => {
      const text = [...manyLines(300), "here @map waits", "and @reduce too", ...manyLines(300)].join("\n");
      const { job, ledger, mapGate, reduceGate, output } = await gatedJob(play, text, { maps: 8, reduces: 3 });
      await play.until("a map to wait", () => linesIn(ledger).includes("map"));
      const runsMap = await runnerOf(play, "map");
      await play.cluster.kill("master", runsMap);
      writeFileSync(mapGate, "");
      await play.cluster.start("master");
      await play.until("the reduce to wait", () => linesIn(ledger).includes("reduce"));
      const runsReduce = await runnerOf(play, "reduce");
      await play.cluster.kill(runsReduce);
      writeFileSync(reduceGate, "");
      await play.cluster.start(runsMap);
      const summary = await job.result();
      expect(outputOf(output).sort()).toEqual(counted(text));
      // The file of a map or reduce that was killed is never read, and nothing is left of it.
      expect(readdirSync(output).sort()).toEqual([
        "_SUCCESS",
        "_manifest.json",
        "part-00000.tsv",
        "part-00001.tsv",
        "part-00002.tsv",
      ]);
      expect(summary).toMatchObject({ maps: 8, mapsAgain: 0, reduces: 3, records: 602, skipped: 0 });
      expect(linesIn(ledger)).toEqual(["map", "map", "reduce", "reduce"]);
      const { tasks } = await play.client.list({ limit: 100 });
      expect(tasks.reduce((sum, task) => sum + task.kills, 0)).toBe(2);
      expect(tasks.every((task) => task.state === "success" && task.failures === 0)).toBe(true);
    }));

  test.each<[string, (file: string) => void]>([
    ["is gone", unlinkSync],
    ["is cut off", (file) => truncateSync(file, 10)],
    ["is damaged", damage],
  ])("runs a map again whose output %s, and counts that against nobody", (_, harm) =>
    scene(["master", "worker-1"], async (play) => {
      const text = [...manyLines(200), "and @reduce waits"].join("\n");
      const { job, ledger, reduceGate, output } = await gatedJob(play, text, { maps: 4, reduces: 3 });
      await play.until("the first reduce to wait", () => linesIn(ledger).includes("reduce"));
      const folder = join(output, "_temporary", "job", "map");
      const [first = ""] = readdirSync(folder).sort();
      harm(join(folder, first));
      writeFileSync(reduceGate, "");
      expect(await job.result()).toMatchObject({ mapsAgain: 1, maps: 4 });
      expect(outputOf(output).sort()).toEqual(counted(text));
      const { tasks } = await play.client.list({ limit: 100 });
      expect(tasks.every((task) => task.state === "success" && task.failures === 0)).toBe(true);
      expect(await play.logOf("job")).toContain("The output of 1 maps is lost");
    }),
  );

  test("goes on with what its maps wrote when an attempt of the job itself fails", () =>
    scene(["master", "worker-1"], async (play) => {
      const text = [...manyLines(50), "here @map waits"].join("\n");
      const { job, ledger, mapGate, output } = await gatedJob(play, text, { maps: 2, reduces: 2 });
      await play.until("a map to wait", () => linesIn(ledger).includes("map"));
      const folder = join(output, "_temporary", "job", "job");
      renameSync(folder, `${folder}-away`);
      // Where the job wants to list the manifests of its maps is no folder now.
      writeFileSync(folder, "");
      writeFileSync(mapGate, "");
      await play.until("an attempt of the job to fail", async () => (await play.client.get("job")).failures === 1);
      unlinkSync(folder);
      renameSync(`${folder}-away`, folder);
      expect(await job.result()).toMatchObject({ maps: 2, mapsAgain: 0 });
      expect(outputOf(output).sort()).toEqual(counted(text));
      expect(linesIn(ledger)).toEqual(["map"]);
    }));

  test("that has failed begins from scratch when it is retried: its files are gone", () =>
    scene(["master", "worker-1"], async (play) => {
      const text = [...manyLines(20), "@broken"].join("\n");
      const { job, mapGate, output } = await gatedJob(play, text, { job: "mended", maps: 3, reduces: 2 });
      await expect(job.result()).rejects.toThrow("what it needs is not there");
      expect(existsSync(join(output, "_temporary"))).toBe(false);
      writeFileSync(mapGate, "");
      const { tasks } = await play.client.list({ parent: "job", states: ["failed"], limit: 1 });
      const refused = play.client.retry(tasks[0]?.id ?? "");
      await expect(refused).rejects.toThrow("is a task of the job job");
      await play.client.retry("job");
      expect(await job.result()).toMatchObject({ maps: 3, mapsAgain: 0, records: 21 });
      expect(outputOf(output)).toContain("@broken\t1");
      // What a map of it failed with does not count for the job that began anew.
      expect((await play.client.get("job")).childCounts).toMatchObject({ success: 5 });
    }));

  test("runs in its queue, with its labels and its priority, and so do its maps and reduces", () =>
    scene(
      ["master", "worker-1"],
      async (play) => {
        const text = manyLines(20).join("\n");
        const place = { queue: "etl", priority: 3, requires: ["disk"] };
        const more = { ...place, name: "nightly", deadlineMs: 600_000, maps: 2, reduces: 2 };
        const { job, output } = await gatedJob(play, text, more);
        await job.result();
        expect(outputOf(output).sort()).toEqual(counted(text));
        expect(await play.client.get("job")).toMatchObject({ ...place, name: "nightly", deadlineMs: 600_000 });
        const { tasks } = await play.client.list({ parent: "job", limit: 100 });
        expect(tasks).toHaveLength(4);
        for (const task of tasks) expect(task).toMatchObject(place);
      },
      { workerArguments: ["--queues", "etl", "--labels", "disk"] },
    ));

  test("refuses an output folder that holds something, and replaces an earlier output only when told to", () =>
    scene(["master", "worker-1"], async (play) => {
      const input = join(play.directory, "words");
      const output = join(play.directory, "out");
      writeFileSync(input, "a\nb\na\n");
      const overrides = { job: "tolerant", input: [input], output };
      await (await submitMapReduce(play.client, jobs, { ...overrides, reduces: 3 })).result();
      await expect((await submitMapReduce(play.client, jobs, overrides)).result()).rejects.toThrow("--overwrite");
      expect(readdirSync(output)).toHaveLength(5);
      appendFileSync(input, "c\n");
      await (await submitMapReduce(play.client, jobs, { ...overrides, overwrite: true })).result();
      expect(outputOf(output)).toEqual(["a\t2", "b\t1", "c\t1"]);
      expect(readdirSync(output).sort()).toEqual(["_SUCCESS", "_manifest.json", "part-00000.tsv"]);
      mkdirSync(join(output, "mine"));
      const refused = await submitMapReduce(play.client, jobs, { ...overrides, overwrite: true });
      await expect(refused.result()).rejects.toThrow("no output of a job");
    }));
});

describe("a record that a map does not survive", () => {
  test.each([
    ["throw", "Error: a bad line"],
    ["loop", "it took longer than 500 ms"],
    ["exit", "its thread ended with code 3"],
  ])("%s: fails the job, which names file and byte; or is left out where that is allowed", (line, reason) =>
    scene(["master", "worker-1"], async (play) => {
      const input = join(play.directory, "input.txt");
      writeFileSync(input, `one\ntwo\n${line}\ntwo\n`);
      const failing = await submitMapReduce(play.client, jobs, {
        job: "bad",
        input: [input],
        output: join(play.directory, "bad"),
      });
      const failure = (await failing.result().catch((error: unknown) => error)) as Error;
      expect(failure.message).toContain(`${input}, byte 8: ${reason}`);
      expect(readdirSync(join(play.directory, "bad"))).toEqual([]);
      const output = join(play.directory, "tolerant");
      const tolerant = await submitMapReduce(play.client, jobs, { job: "tolerant", input: [input], output });
      expect(await tolerant.result()).toMatchObject({ skipped: 1, records: 4 });
      expect(outputOf(output)).toEqual(["one\t1", "two\t2"]);
      const [skipped = "", ...others] = linesIn(join(output, "_skipped.jsonl"));
      expect(others).toEqual([]);
      expect(JSON.parse(skipped)).toMatchObject({ path: input, offset: 8, bytes: line.length, text: line });
    }),
  );
});

/** The worker of the task of this phase that runs and waits at its gate. */
async function runnerOf(play: Scene, phase: "map" | "reduce"): Promise<string> {
  const { tasks } = await play.client.list({ states: ["running"], limit: 100 });
  const waiting = await play.until(`a ${phase} that runs`, async () => {
    const facts = play.cluster.ledger();
    return tasks.find(
      ({ name, id }) => name.startsWith(phase) && !facts.some((fact) => fact.kind === "ended" && fact.task === id),
    );
  });
  const { process } = await play.started(waiting.id, waiting.attempt);
  return process;
}

function damage(file: string): void {
  const bytes = readFileSync(file);
  // Within the first segments, and so within a block.
  for (let at = 20; at < bytes.length - 120; at += 7) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
}
