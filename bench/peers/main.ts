/**
 * `npm run bench:peers`: Outlast beside other durable queues in one run. In each round every queue is started afresh, in turn,
 * so that whatever the machine does meanwhile meets them all; the figures are medians over the rounds. The packages of the peers
 * stand in `bench/peers/package.json`, so that they never become Outlast's own: `npm install --prefix bench/peers` first. Redis and
 * PostgreSQL are expected from the system's packages. `--help` tells its options.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Command, Option } from "commander";
import { count } from "../../scripts/flags.ts";
import { LoadWatch, machineLines } from "../machine.ts";
import { median, percentile } from "../percentiles.ts";
import { cpuMs } from "../processFigures.ts";
import type { Contender } from "./contender.ts";
import { outlast } from "./outlast.ts";

/** In the order in which they run: each beside those that it is compared with. */
const names = [
  "outlast",
  "outlast-inline",
  "bullmq",
  "graphile-worker",
  "outlast-processes",
  "bullmq-sandboxed",
] as const;
type Name = (typeof names)[number];

/** Which of ours does the same as a peer: there its tasks run in the worker's own process too, or in processes too. */
const counterparts: { readonly [name in Name]?: readonly Name[] } = {
  bullmq: ["outlast", "outlast-inline"],
  "graphile-worker": ["outlast", "outlast-inline"],
  "bullmq-sandboxed": ["outlast-processes"],
};

interface PeerFlags {
  readonly only: readonly Name[];
  readonly tasks: number;
  readonly samples: number;
  readonly rounds: number;
  readonly dir: string;
}

const flags = new Command("npm run bench:peers --")
  .description("Outlast beside other durable queues, in turn, as medians over some rounds.")
  .addOption(new Option("--only <names...>", "which of them").choices(names).default(names))
  .option("--tasks <n>", "tasks of each run", count, 100_000)
  .option("--samples <n>", "tasks of each run whose start is timed", count, 200)
  .option("--rounds <n>", "how often each is measured", count, 3)
  .option("--dir <folder>", "its disk is what is measured", tmpdir())
  .parse()
  .opts<PeerFlags>();

const batchTasks = 5_000;
const inFlight = 4;
/** Between two timed tasks: long enough that each finds the queue at rest. */
const pauseMs = 20;
/** Others may use so much of a core before a figure says so. */
const coresOfOthersShown = 0.05;

interface Figures {
  readonly perSecond: number;
  /** CPU time for one task, of server, workers and client together. */
  readonly cpuMicros: number;
  /** From before the submit until it is acknowledged. */
  readonly acknowledgedMs: readonly [p50: number, p99: number];
  /** From before the submit until the worker starts the task. */
  readonly startedMs: readonly [p50: number, p99: number];
  readonly coresOfOthers: number;
}

interface Run {
  readonly contender: Contender;
  readonly figures: Figures;
}

for (const line of machineLines(flags.dir)) console.log(line);
const runs = new Map<Name, Run[]>();
for (let round = 1; round <= flags.rounds; round += 1) {
  for (const name of flags.only) {
    const contender = await contenderOf(name);
    const figures = await measure(contender);
    runs.set(name, [...(runs.get(name) ?? []), { contender, figures }]);
    console.log(`round ${round}  ${row(contender.name, figures)}`);
  }
}
printMedians();

async function contenderOf(name: Name): Promise<Contender> {
  if (name === "outlast") return outlast("sleep");
  if (name === "outlast-inline") return outlast("inline");
  if (name === "outlast-processes") return outlast("processes");
  try {
    if (name === "graphile-worker") return await (await import("./graphileWorker.ts")).graphileWorker();
    const { bullmq } = await import("./bullmq.ts");
    return await bullmq(name === "bullmq" ? "in-process" : "sandboxed");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    throw isMissing ? new Error("The peers' packages are missing: npm install --prefix bench/peers") : error;
  }
}

async function measure(contender: Contender): Promise<Figures> {
  const directory = mkdtempSync(join(flags.dir, "outlast-bench-"));
  // PostgreSQL runs as another user.
  chmodSync(directory, 0o755);
  try {
    await contender.start(directory);
    await drain(contender, flags.tasks / 10);
    const watch = new LoadWatch();
    const cpuBefore = contender.cpuMs() + cpuMs(process.pid);
    const startedAt = performance.now();
    await drain(contender, flags.tasks);
    const perSecond = (flags.tasks / (performance.now() - startedAt)) * 1000;
    const cpuMicros = ((contender.cpuMs() + cpuMs(process.pid) - cpuBefore) * 1000) / flags.tasks;
    const latencies = await measureLatencies(contender, join(directory, "starts"));
    return { perSecond, cpuMicros, ...latencies, coresOfOthers: watch.coresUsedByOthers() };
  } finally {
    await contender.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** From the first submit to the last task done. */
async function drain(contender: Contender, tasks: number): Promise<void> {
  let submitted = 0;
  const submitter = async (): Promise<void> => {
    while (submitted < tasks) {
      const size = Math.min(batchTasks, tasks - submitted);
      submitted += size;
      await contender.submit(size);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, submitter));
  while ((await contender.countOpen()) > 0) await setTimeout(pauseMs);
}

async function measureLatencies(
  contender: Contender,
  file: string,
): Promise<Pick<Figures, "acknowledgedMs" | "startedMs">> {
  const acknowledged: number[] = [];
  for (let sample = 0; sample < flags.samples; sample += 1) {
    const startedAt = performance.now();
    await contender.submitTimed({ sentAt: String(process.hrtime.bigint()), file });
    acknowledged.push(performance.now() - startedAt);
    await setTimeout(pauseMs);
  }
  while ((await contender.countOpen()) > 0) await setTimeout(pauseMs);
  const started = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((nanoseconds) => Number(nanoseconds) / 1e6);
  return { acknowledgedMs: p50AndP99(acknowledged), startedMs: p50AndP99(started) };
}

function p50AndP99(values: readonly number[]): readonly [number, number] {
  const ascending = [...values].sort((a, b) => a - b);
  return [percentile(ascending, 0.5), percentile(ascending, 0.99)];
}

function printMedians(): void {
  console.log(`\nMedians of ${flags.rounds}. A ratio is the rate of Outlast to that of the queue.`);
  for (const [name, ofOne] of runs) {
    const [first] = ofOne;
    if (first === undefined) continue;
    const figures = medianOf(ofOne);
    const ratios = (counterparts[name] ?? []).map((own) => ratioTo(figures, own)).join("");
    console.log(`${row(first.contender.name, figures)}${ratios}; ${first.contender.durability}`);
  }
}

function ratioTo({ perSecond }: Figures, own: Name): string {
  const ofOwn = runs.get(own);
  return ofOwn === undefined ? "" : `, ratio of ${own} ${(medianOf(ofOwn).perSecond / perSecond).toFixed(2)}`;
}

function medianOf(ofOne: readonly Run[]): Figures {
  const of = (pick: (one: Figures) => number): number => median(ofOne.map(({ figures }) => pick(figures)));
  return {
    perSecond: of((one) => one.perSecond),
    cpuMicros: of((one) => one.cpuMicros),
    acknowledgedMs: [of((one) => one.acknowledgedMs[0]), of((one) => one.acknowledgedMs[1])],
    startedMs: [of((one) => one.startedMs[0]), of((one) => one.startedMs[1])],
    coresOfOthers: of((one) => one.coresOfOthers),
  };
}

function row(name: string, { perSecond, cpuMicros, acknowledgedMs, startedMs, coresOfOthers }: Figures): string {
  const rate = `${Math.round(perSecond).toLocaleString("en").padStart(7)} tasks/s`;
  const cpu = `${cpuMicros.toFixed(0).padStart(4)} µs CPU each`;
  const pair = ([p50, p99]: readonly [number, number]) => `${p50.toFixed(1)}/${p99.toFixed(1)} ms`;
  const latency = `acknowledged ${pair(acknowledgedMs)}, started ${pair(startedMs)}`;
  const others = coresOfOthers > coresOfOthersShown ? `, others used ${coresOfOthers.toFixed(2)} cores` : "";
  return `${name.padEnd(34)}${rate}  ${cpu}  ${latency}${others}`;
}
