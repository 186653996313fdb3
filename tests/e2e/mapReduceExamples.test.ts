/** The MapReduce examples give what plain programs give. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { corpusPieces } from "../../src/cli/mapReduce/corpus.ts";
import { type JobOverrides, submitMapReduce } from "../../src/mapreduce/index.ts";
import { type Scene, scene } from "./scene.ts";

const text = Buffer.concat([...corpusPieces(300_000)]).toString();
const lines = text.trimEnd().split("\n");
const wordsIn = (line: string) => line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

async function run(play: Scene, example: string, overrides: JobOverrides) {
  const file = fileURLToPath(new URL(`../../examples/map-reduce/${example}.ts`, import.meta.url));
  const job = await submitMapReduce(play.client, file, overrides);
  const summary = await job.result();
  return { summary, parts: partsOf(overrides.output ?? "") };
}

/** Each part as lines. */
function partsOf(folder: string): string[][] {
  const names = readdirSync(folder).filter((name) => name.startsWith("part-"));
  return names.sort().map((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1));
}

function write(play: Scene, name: string, content: string): string {
  const path = join(play.directory, name);
  writeFileSync(path, content);
  return path;
}

test("the corpus is the same bytes on every machine", () => {
  expect(createHash("sha256").update(text).digest("hex")).toBe(
    "956c2745f98cd49aeaba247083fa2e14a3ac6aed975de02bc1e923e2f10b81d6",
  );
});

test("word count, over a file, over http in parts, and on bytes", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    const counts = new Map<string, number>();
    for (const word of lines.flatMap(wordsIn)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const expected = [...counts].map(([word, count]) => `${word}\t${count}`).sort(byBytes);

    const { parts, summary } = await run(play, "wordcount", {
      input: [write(play, "text", text)],
      output: join(play.directory, "file"),
      maps: 7,
      reduces: 3,
    });
    expect(parts).toHaveLength(3);
    expect(parts.flat().sort(byBytes)).toEqual(expected);
    expect(summary).toMatchObject({
      maps: 7,
      records: lines.length,
      keys: counts.size,
      inputBytes: Buffer.byteLength(text),
    });

    const server = createServer((request, response) => {
      const [, from = 0, to = 0] = (/bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? []).map(Number);
      const bytes = Buffer.from(text);
      const head = { etag: '"1"', "accept-ranges": "bytes" };
      if (request.method === "HEAD") return response.writeHead(200, { ...head, "content-length": bytes.length }).end();
      return response.writeHead(206, head).end(bytes.subarray(from, to + 1));
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/text`;
    const overHttp = await run(play, "wordcount", {
      input: [address],
      output: join(play.directory, "http"),
      maps: 3,
      reduces: 3,
    });
    server.close();
    expect(overHttp.parts).toEqual(parts);

    const input = [join(play.directory, "text")];
    const onBytes = await run(play, "wordcountBytes", {
      input,
      output: join(play.directory, "bytes"),
      maps: 4,
      reduces: 3,
    });
    expect(onBytes.parts).toEqual(parts);
  }));

test("hits per URL, and the top 20 as a second job", () =>
  scene(["master", "worker-1"], async (play) => {
    const log = lines.map((line, index) => {
      const [word = "", other = ""] = wordsIn(line);
      if (index % 200 === 7) return "not a line of a log";
      return `10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /${word}?q=${other} HTTP/1.1" ${index % 9 === 0 ? 503 : 200} ${index % 5 === 0 ? "-" : index}`;
    });
    const expected = new Map<string, { hits: number; bytes: number; errors: number }>();
    log.forEach((line, index) => {
      const url = /"GET (\/[^?]*)/.exec(line)?.[1];
      if (url === undefined) return;
      const sums = expected.get(url) ?? { hits: 0, bytes: 0, errors: 0 };
      expected.set(url, {
        hits: sums.hits + 1,
        bytes: sums.bytes + (index % 5 === 0 ? 0 : index),
        errors: sums.errors + (index % 9 === 0 ? 1 : 0),
      });
    });
    const output = join(play.directory, "urls");
    const { parts, summary } = await run(play, "urls", {
      job: "hits-by-url",
      input: [write(play, "access.log", `${log.join("\n")}\n`)],
      output,
      maps: 5,
    });
    const rows = parts.flat().map((line) => line.split("\t") as [string, string]);
    expect(new Map(rows.map(([url, sums]) => [url, JSON.parse(sums) as unknown]))).toEqual(expected);
    const bad = log.filter((line) => !line.startsWith("10.")).length;
    expect(summary).toMatchObject({ skipped: bad, counters: { "status 2xx": expect.any(Number) as number } });

    const top = await run(play, "urls", {
      job: "top-urls",
      input: [join(output, "part-*.tsv")],
      output: join(play.directory, "top"),
    });
    const { value } = JSON.parse(top.parts.flat()[0] ?? "{}") as { value: { url: string; hits: number }[] };
    const hits = [...expected.values()].map((sums) => sums.hits).sort((one, other) => other - one);
    expect(value.map((row) => row.hits)).toEqual(hits.slice(0, 20));
    for (const row of value) expect(expected.get(row.url)?.hits).toBe(row.hits);
  }));

test("an inverted index", () =>
  scene(["master", "worker-1"], async (play) => {
    const path = write(play, "some.txt", text);
    const expected = new Map<string, string[]>();
    let offset = 0;
    for (const line of lines) {
      for (const word of new Set(wordsIn(line)))
        expected.set(word, [...(expected.get(word) ?? []), `${basename(path)}:${offset}`]);
      offset += Buffer.byteLength(line) + 1;
    }
    for (const places of expected.values()) places.sort();
    const { parts, summary } = await run(play, "invertedIndex", {
      input: [path],
      output: join(play.directory, "index"),
      maps: 4,
    });
    const rows = parts.flat().map((line) => JSON.parse(line) as { key: string; value: string[] });
    expect(new Map(rows.map(({ key, value }) => [key, value]))).toEqual(expected);
    const places = [...expected.values()].map(({ length }) => length);
    const share = Math.max(...places) / places.reduce((sum, length) => sum + length, 0);
    expect(expected.get(String(summary["maxKey"]))).toHaveLength(Math.max(...places));
    expect(summary["maxKeyShare"]).toBeCloseTo(share, 3);
  }));

test("a sort: the parts one after the other are the sorted lines", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    const { parts } = await run(play, "sort", {
      input: [write(play, "text", text)],
      output: join(play.directory, "sorted"),
      maps: 5,
    });
    expect(parts.flat().map((line) => line.replace(/\t$/, ""))).toEqual([...lines].sort(byBytes));
    const sizes = parts.map((part) => part.length);
    expect(Math.max(...sizes)).toBeLessThan((2 * lines.length) / parts.length);
  }));

test("a distributed grep, over a folder", () =>
  scene(["master", "worker-1"], async (play) => {
    const folder = join(play.directory, "logs");
    mkdirSync(folder);
    for (const name of ["a.log", "b.log"]) writeFileSync(join(folder, name), text);
    const { parts } = await run(play, "grep", {
      input: [folder],
      output: join(play.directory, "grep"),
      params: { pattern: "^Ba.*\\." },
      maps: 3,
    });
    const found = parts.flat().map((line) => line.split("\t")[1]);
    const expected = lines.filter((line) => /^Ba.*\./.test(line));
    expect(expected.length).toBeGreaterThan(3);
    expect(found).toEqual([...expected, ...expected]);
  }));
