/** MapReduce jobs whose input, output and what is between them are in S3, on real clusters with real deaths. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { submitMapReduce } from "../../src/mapreduce/index.ts";
import { Bucket } from "../../src/s3/bucket.ts";
import { findDeployment } from "../contracts/s3/place.ts";
import { scene } from "./scene.ts";

const jobs = fileURLToPath(new URL("./tasks/gatedJob.ts", import.meta.url));
const found = await findDeployment();

function linesIn(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

function counted(text: string): string[] {
  const counts = new Map<string, number>();
  for (const line of text.trimEnd().split("\n")) {
    for (const word of line.split(" ")) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${word}\t${count}`).sort();
}

describe.skipIf(found === null)("a job in S3", () => {
  let bucket: Bucket;
  let place: string;
  let key: string;
  beforeAll(() => {
    const address = found!.newPlace();
    key = address.key;
    bucket = new Bucket(address.bucket);
    place = `s3://${address.bucket}/${address.key}`;
  });
  afterAll(() => bucket.close());

  async function write(name: string, text: string): Promise<void> {
    async function* content() {
      yield Buffer.from(text);
    }
    await bucket.put(`${key}/${name}`, content(), "any");
  }
  async function names(folder: string): Promise<string[]> {
    const listed = await Array.fromAsync(bucket.list(`${key}/${folder}/`));
    return listed.map((object) => object.key.slice(`${key}/${folder}/`.length)).sort();
  }
  const manyLines = (count: number) => Array.from({ length: count }, (_, index) => `to be ${index} or not to be`);
  const text = [...manyLines(300), "here @map waits", "and @reduce too", ...manyLines(300), ""].join("\n");

  test("goes on when its leader and a worker die, and leaves its output and nothing else", () =>
    scene(
      ["master", "worker-1", "worker-2"],
      async (play) => {
        const [ledger, mapGate, reduceGate] = ["ledger", "map-gate", "reduce-gate"].map((name) =>
          join(play.directory, name),
        ) as [string, string, string];
        await write("in/a.txt", text);
        await write("in/b.txt", "a last line\n");
        const job = await submitMapReduce(play.client, jobs, {
          ...{ job: "gated", id: "job", input: [`${place}/in/*.txt`], output: `${place}/out`, maps: 8, reduces: 3 },
          params: { ledger, mapGate, reduceGate },
        });
        await play.until("a map to wait", () => linesIn(ledger).includes("map"));
        const { tasks: running } = await play.client.list({ states: ["running"], limit: 100 });
        const map = running.find(({ name, kind }) => kind === "map-reduce.map" && name !== undefined);
        await play.cluster.kill("master", map?.host ?? "");
        writeFileSync(mapGate, "");
        writeFileSync(reduceGate, "");
        await play.cluster.start("master");
        await play.cluster.start(map?.host ?? "");
        const summary = await job.result();
        expect(summary).toMatchObject({ maps: 8, mapsAgain: 0, inputFiles: 2, records: 603, skipped: 0 });
        const parts = ["part-00000.tsv", "part-00001.tsv", "part-00002.tsv"];
        expect(await names("out")).toEqual(["_SUCCESS", "_manifest.json", ...parts]);
        const lines: string[] = [];
        for (const part of parts) {
          lines.push(...String((await bucket.tail(`${key}/out/${part}`, 1 << 20))?.bytes).split("\n"));
        }
        expect(lines.filter((line) => line !== "").sort()).toEqual(counted(`${text}a last line`));
      },
      { workerArguments: ["--jobs-use-s3"] },
    ));

  test("fails by name when an object of its input is changed while it runs", () =>
    scene(
      ["master", "worker-1"],
      async (play) => {
        const [ledger, mapGate] = [join(play.directory, "ledger"), join(play.directory, "map-gate")];
        await write("changing/a.txt", "here @map waits\n");
        await write("changing/b.txt", "another line\n");
        const job = await submitMapReduce(play.client, jobs, {
          ...{ job: "gated", id: "job", input: [`${place}/changing`], output: `${place}/none`, maps: 2, reduces: 3 },
          params: { ledger, mapGate, reduceGate: mapGate },
        });
        await play.until("a map to wait", () => linesIn(ledger).includes("map"));
        await write("changing/b.txt", "another text\n");
        writeFileSync(mapGate, "");
        await expect(job.result()).rejects.toThrow("changing/b.txt was changed or removed while the job ran");
        expect(await names("none")).toEqual([]);
      },
      { workerArguments: ["--jobs-use-s3"] },
    ));

  test("is refused with what to do where workers hand it no credentials", () =>
    scene(["master", "worker-1"], async (play) => {
      const job = await submitMapReduce(play.client, jobs, {
        ...{ job: "gated", id: "job", input: [`${place}/in/`], output: join(play.directory, "out"), reduces: 3 },
      });
      await expect(job.result()).rejects.toThrow("--jobs-use-s3");
    }));
});

afterAll(() => found?.stop());
