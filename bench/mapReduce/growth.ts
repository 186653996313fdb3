/**
 * How MapReduce grows: the rate over ten and forty times the input, and the memory of a slot whatever the input is like.
 * `npm run bench:mapreduce:growth -- [share] [rounds]`: a share below 1 makes all inputs smaller by that. A cluster of a master and two workers with
 * a slot each runs from the beginning; its start is in no time. Nothing is compressed, since all is on one machine. What comes out of each job is checked.
 */
import { createReadStream, createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { corpusPieces } from "../../src/cli/mapReduce/corpus.ts";
import { submitMapReduce } from "../../src/mapreduce/index.ts";
import { createClient } from "../../src/sdk/index.ts";
import { type BenchCluster, withCluster } from "../benchCluster.ts";
import { median } from "../percentiles.ts";
import { childrenOf, peakMiB } from "../processFigures.ts";

const [share = 1, rounds = 3] = process.argv.slice(2).map(Number);
const slots = 2;
const pieceBytes = 1 << 20;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface Ran {
  readonly output: string;
  readonly seconds: number;
  /** The most that any process of a slot held while the job ran, in MiB. */
  readonly peakMiB: number;
}

interface Wanted {
  readonly module: string;
  readonly job: string;
  readonly input: string;
  readonly maps: number;
  readonly reduces: number;
}

/** The programs that run maps and reduces, of all workers. */
function slotProcesses(cluster: BenchCluster): number[] {
  const pids: number[] = [];
  const visit = (pid: number): void => {
    for (const child of childrenOf(pid)) {
      if (readFileSync(`/proc/${child}/cmdline`, "utf8").includes("runnerProcess")) pids.push(child);
      visit(child);
    }
  };
  for (let slot = 1; slot <= slots; slot += 1) visit(cluster.pid(`worker-${slot}`) ?? 0);
  return pids;
}

/** Calls this again and again until `stop`. A process that ends meanwhile is looked at the next time. */
function watchPeak(cluster: BenchCluster): { stop(): number } {
  let peak = 0;
  const look = () => {
    try {
      peak = Math.max(peak, ...slotProcesses(cluster).map(peakMiB));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" && (error as NodeJS.ErrnoException).code !== "ESRCH")
        throw error;
    }
  };
  const looking = setInterval(look, 100);
  return {
    stop() {
      clearInterval(looking);
      look();
      return peak;
    },
  };
}

async function run(cluster: BenchCluster, folder: string, wanted: Wanted): Promise<Ran> {
  const { module, ...overrides } = wanted;
  const output = mkdtempSync(join(folder, "out-"));
  const watch = watchPeak(cluster);
  const startedAt = performance.now();
  const job = await submitMapReduce(createClient({ masters: [cluster.address] }), module, {
    ...{ ...overrides, input: [wanted.input], output, overwrite: true, compression: "none" },
  });
  await job.result();
  return { output, seconds: (performance.now() - startedAt) / 1000, peakMiB: watch.stop() };
}

/** Of `key<tab>number` lines: how many there are, the sum of their numbers, and whether each part is sorted. */
async function summary(
  output: string,
): Promise<{ readonly keys: number; readonly sum: number; readonly isSorted: boolean }> {
  let keys = 0;
  let sum = 0;
  let isSorted = true;
  for (const part of readdirSync(output).filter((name) => name.startsWith("part-"))) {
    let before = "";
    for await (const line of createInterface({ input: createReadStream(join(output, part), "latin1") })) {
      const [key = "", value = ""] = line.split("\t");
      isSorted &&= before < key;
      before = key;
      keys += 1;
      sum += Number(value);
    }
  }
  return { keys, sum, isSorted };
}

async function check(
  what: string,
  output: string,
  expected: { readonly keys?: number; readonly sum: number },
): Promise<void> {
  const { keys, sum, isSorted } = await summary(output);
  const isRight = sum === expected.sum && isSorted && (expected.keys ?? keys) === keys;
  if (!isRight)
    throw new Error(
      `${what}: ${keys} keys with a sum of ${sum}, sorted: ${isSorted}; expected ${JSON.stringify(expected)}`,
    );
  rmSync(output, { recursive: true });
}

async function write(path: string, pieces: Iterable<Buffer>): Promise<string> {
  await pipeline(Readable.from(pieces), createWriteStream(path));
  return path;
}

/** Texts, gathered into pieces of about a mebibyte. */
function* gathered(count: number, text: (index: number) => string): Generator<Buffer> {
  let piece = "";
  for (let index = 0; index < count; index += 1) {
    piece += text(index);
    if (piece.length < pieceBytes) continue;
    yield Buffer.from(piece);
    piece = "";
  }
  if (piece !== "") yield Buffer.from(piece);
}

/** Words as the example sees them. */
async function wordsIn(path: string): Promise<number> {
  let words = 0;
  for await (const line of createInterface({ input: createReadStream(path) }))
    words += line.toLowerCase().match(/[\p{L}\p{N}']+/gu)?.length ?? 0;
  return words;
}

async function reportRates(cluster: BenchCluster, folder: string): Promise<void> {
  const sizes = [
    { megabytes: 25, maps: 20, reduces: 5 },
    { megabytes: 250, maps: 100, reduces: 20 },
    { megabytes: 1_000, maps: 400, reduces: 20 },
  ];
  const inputs: { readonly path: string; readonly words: number }[] = [];
  for (const { megabytes } of sizes) {
    const path = await write(join(folder, `${megabytes}mb.txt`), corpusPieces(megabytes * 1e6 * share));
    inputs.push({ path, words: await wordsIn(path) });
  }
  console.log(
    "| word count | 25 MB, s | 250 MB, MB/s | 1 GB, MB/s | of 250 MB's rate | slot, MiB |\n|---|---|---|---|---|---|",
  );
  for (const [name, example] of [
    ["lines", "wordcount"],
    ["chunks", "wordcountBytes"],
  ] as const) {
    const job = name === "lines" ? "wordcount" : "wordcount-bytes";
    const module = here(`../../examples/map-reduce/${example}.ts`);
    const seconds = sizes.map((): number[] => []);
    let peak = 0;
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, { maps, reduces }] of sizes.entries()) {
        const { path = "", words = 0 } = inputs[index] ?? {};
        const ran = await run(cluster, folder, { module, job, input: path, maps, reduces });
        await check(`${name}, ${path}`, ran.output, { sum: words });
        seconds[index]?.push(ran.seconds);
        peak = Math.max(peak, ran.peakMiB);
      }
    }
    const [small, middle, large] = seconds.map((each, index) => {
      const took = median(each);
      return { took, rate: statSync(inputs[index]?.path ?? "").size / 1e6 / took };
    });
    console.log(
      `| ${name} | ${small?.took.toFixed(1)} | ${middle?.rate.toFixed(1)} | ${large?.rate.toFixed(1)} | ${((large?.rate ?? 0) / (middle?.rate ?? 0)).toFixed(2)} | ${peak.toFixed(0)} |`,
    );
  }
}

async function reportExtremes(cluster: BenchCluster, folder: string): Promise<void> {
  const module = here("./growthJobs.ts");
  const keys = Math.round(10_000_000 * share);
  const values = Math.round(50_000_000 * share);
  const long = Math.max(2, Math.round(32 * share));
  const lineBytes = 16 * 1024 * 1024 - 1;
  const extremes = [
    {
      name: `${keys} different keys`,
      job: "distinct-keys",
      pieces: gathered(keys, (index) => `key-${((index * 7_919) % keys).toString().padStart(9, "0")}\n`),
      expected: { keys, sum: keys },
    },
    {
      name: `one key with ${values} values`,
      job: "giant-key",
      pieces: gathered(values, (index) => `${index % 10}23\n`),
      expected: { keys: 1, sum: 3 * values },
    },
    {
      name: `${long} lines of 16 MiB`,
      job: "long-lines",
      pieces: gathered(long, (index) => `line-${String(index).padStart(3, "0")}${"x".repeat(lineBytes - 8)}\n`),
      expected: { keys: long, sum: long * lineBytes },
    },
  ];
  console.log("\n| input | MB | s | slot, MiB |\n|---|---|---|---|");
  for (const { name, job, pieces, expected } of extremes) {
    const input = await write(join(folder, `${job}.txt`), pieces);
    const ran = await run(cluster, folder, { module, job, input, maps: 20, reduces: 4 });
    await check(name, ran.output, expected);
    console.log(
      `| ${name} | ${(statSync(input).size / 1e6).toFixed(0)} | ${ran.seconds.toFixed(1)} | ${ran.peakMiB.toFixed(0)} |`,
    );
    rmSync(input);
  }
}

const folder = mkdtempSync(join(tmpdir(), "outlast-growth-"));
try {
  const setUp = { parent: folder, workers: slots, capacity: 1, store: "sqlite" as const };
  await withCluster(setUp, (cluster) => reportRates(cluster, folder));
  await withCluster(setUp, (cluster) => reportExtremes(cluster, folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
