/** Jobs over input that cannot be divided, and jobs that follow others: the output is that of a plain program. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
// A server that is slow: nothing here waits for it but the job.
import { setTimeout as setTimer } from "node:timers";
import { fileURLToPath } from "node:url";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { corpusPieces } from "../../src/cli/mapReduce/corpus.ts";
import { submitMapReduce } from "../../src/mapreduce/index.ts";
import { scene } from "./scene.ts";

const modules = fileURLToPath(new URL("./tasks/countingJobs.ts", import.meta.url));
const text = Buffer.concat([...corpusPieces(200_000)]).toString();

function wordCounts(...texts: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of texts.flatMap((each) => each.split(/\s+/)).filter((each) => each !== ""))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** How many words occur so often. */
function frequencies(counts: ReadonlyMap<string, number>): string[] {
  const words = new Map<number, number>();
  for (const count of counts.values()) words.set(count, (words.get(count) ?? 0) + 1);
  return [...words].map(([count, number]) => `${count}\t${number}`).sort();
}

function linesOf(folder: string): string[] {
  const parts = readdirSync(folder).filter((name) => name.startsWith("part-"));
  return parts.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1)).sort();
}

test("plain and compressed files of a folder, and a stream, are one input; a job that follows counts its counts", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    const folder = join(play.directory, "in");
    mkdirSync(join(folder, "deeper"), { recursive: true });
    writeFileSync(join(folder, "a.txt"), text);
    writeFileSync(join(folder, "b.txt.gz"), gzipSync(text));
    writeFileSync(join(folder, "deeper", "c.zst"), zstdCompressSync(text));
    writeFileSync(join(folder, "empty.gz"), "");
    const server = createServer((request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      return response.end(request.method === "HEAD" ? undefined : text);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/text`;
    const counts = join(play.directory, "counts");
    const first = await submitMapReduce(play.client, modules, {
      ...{ job: "words", id: "first", input: [folder, address], output: counts, maps: 6, reduces: 3 },
    });
    // It need not have ended.
    const second = await submitMapReduce(play.client, modules, {
      ...{ job: "frequencies", input: ["job:first"], output: join(play.directory, "frequencies"), maps: 4 },
    });
    // Nor may a third one write where the first does, unless it is the first, sent once more.
    const again = { job: "words", input: [folder, address], output: counts, maps: 6, reduces: 3 };
    const others = { ...again, id: "third", overwrite: true };
    await expect(submitMapReduce(play.client, modules, others)).rejects.toMatchObject({ code: "conflict" });
    expect(await submitMapReduce(play.client, modules, { ...again, id: "first" })).toMatchObject({ isNew: false });
    const expected = wordCounts(text, text, text, text);
    expect(await first.result()).toMatchObject({ maps: 6, inputFiles: 5, skipped: 0 });
    expect(linesOf(counts)).toEqual([...expected].map(([word, count]) => `${word}\t${count}`).sort());
    expect(await second.result()).toMatchObject({ inputFiles: 3, records: expected.size });
    expect(linesOf(join(play.directory, "frequencies"))).toEqual(frequencies(expected));
    server.close();
    // By the folder, what is in it besides the output of the job is not read.
    writeFileSync(join(counts, "part-00003.tsv"), "of-a-job-before\t1\n");
    const third = await submitMapReduce(play.client, modules, {
      ...{ job: "frequencies", input: [counts], output: join(play.directory, "again") },
    });
    await third.result();
    expect(linesOf(join(play.directory, "again"))).toEqual(frequencies(expected));
  }));

test("only the user's code is timed: input may come slowly, and a partition or a module that does not return is named", () =>
  scene(["master", "worker-1"], async (play) => {
    const half = `${text.repeat(10).slice(0, 1_500_000)}\n`;
    const server = createServer((request, response) => {
      response.writeHead(200);
      if (request.method === "HEAD") return response.end();
      return response.write(half, () => setTimer(() => response.end(half), 2_500));
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/text`;
    const output = join(play.directory, "out");
    const slow = await submitMapReduce(play.client, modules, { job: "impatient", input: [address], output });
    await slow.result();
    server.close();
    expect(linesOf(output)).toEqual([...wordCounts(half, half)].map(([word, count]) => `${word}\t${count}`).sort());
    const input = join(play.directory, "input.txt");
    writeFileSync(input, "go\nstop\ngo\n");
    const stuck = await submitMapReduce(play.client, modules, {
      ...{ job: "stuck", input: [input], output: join(play.directory, "stuck"), maps: 1, reduces: 2 },
    });
    await expect(stuck.result()).rejects.toThrow("In the combine or partition of the job: it took longer than 500 ms");
    const endless = fileURLToPath(new URL("./tasks/endlessModule.ts", import.meta.url));
    const never = await submitMapReduce(play.client, endless, {
      input: [input],
      output: join(play.directory, "never"),
    });
    await expect(never.result()).rejects.toThrow("While the module of the job was loaded: it took longer than 5000 ms");
  }));

test("a job after one that failed, after none, or after a task of another kind is refused", () =>
  scene(["master", "worker-1"], async (play) => {
    const submit = (id: string) =>
      submitMapReduce(play.client, modules, {
        ...{ job: "frequencies", input: [`job:${id}`], output: join(play.directory, "out") },
      });
    const failing = await submitMapReduce(play.client, modules, {
      ...{ job: "words", id: "failing", input: [join(play.directory, "none")], output: join(play.directory, "no") },
    });
    await expect(failing.result()).rejects.toThrow("There is no input");
    await expect(submit("failing")).rejects.toThrow("Job failing was failed, so it has no output to read.");
    await play.sleepTask("nap", 0);
    await expect(submit("nap")).rejects.toThrow("Task nap is no MapReduce job");
    await expect(submit("nobody")).rejects.toMatchObject({ code: "not-found" });
  }));
