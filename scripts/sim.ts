/** Runs the simulator over many seeds: `npm run sim -- --seeds 500 --from 1`, or one seed in detail: `--seeds 1 --from 42 --trace`. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { situations } from "../src/testing/simulation/coverage.ts";
import { describeKnobs } from "../src/testing/simulation/knobs.ts";
import { simulate } from "../src/testing/simulation/simulate.ts";
import { tellStory } from "../src/testing/simulation/story.ts";

/** With fewer seeds than this, a situation that never came up is bad luck; with more, the generator does not go there. */
const coverageSeedsMin = 300;
const failuresShownMax = 5;

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "500" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    processes: { type: "string" },
    /** Ends at the first seed that fails. */
    "stop-at-first": { type: "boolean", default: false },
    /** Leaves out the second run of each seed, which only proves determinism. */
    once: { type: "boolean", default: false },
    shard: { type: "boolean", default: false },
  },
});

/** What one seed's run tells the parent process. */
interface SeedReport {
  readonly seed: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly tasks: number;
  readonly faults: readonly [string, number][];
  readonly coverage: readonly [string, number][];
  /** A failing seed's whole text; null if all is well. */
  readonly failure: { readonly invariants: readonly string[]; readonly text: string } | null;
}

async function runSeed(seed: number): Promise<SeedReport> {
  const result = await simulate(seed);
  let { violations } = result;
  if (!flags.once) {
    const again = await simulate(seed);
    if (again.traceHash !== result.traceHash) {
      const message = `two runs of the seed differ (${result.traceHash} and ${again.traceHash}): something is not deterministic`;
      violations = [...violations, { invariant: "none", message, subjects: [] }];
    }
  }
  const failure =
    violations.length === 0
      ? null
      : {
          invariants: [...new Set(violations.map((violation) => violation.invariant))],
          text: await tellStory(result, violations),
        };
  return {
    seed,
    simulatedMs: result.simulatedMs,
    events: result.events,
    tasks: result.history.final.documents.size,
    faults: [...result.faults],
    coverage: [...result.coverage],
    failure,
  };
}

/** A child: runs the seeds it is sent. */
function serve(): void {
  process.on("message", (seed: number) => {
    runSeed(seed).then(
      (report) => process.send?.(report),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.send?.("ready");
}

class Tally {
  readonly #startedAt = performance.now();
  readonly failures: SeedReport[] = [];
  seeds = 0;
  #simulatedMs = 0;
  #events = 0;
  #tasks = 0;
  readonly #faults = new Map<string, number>();
  readonly #coverage = new Map<string, number>();

  add(report: SeedReport): void {
    this.seeds += 1;
    this.#simulatedMs += report.simulatedMs;
    this.#events += report.events;
    this.#tasks += report.tasks;
    for (const [kind, count] of report.faults) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
    for (const [situation] of report.coverage) this.#coverage.set(situation, (this.#coverage.get(situation) ?? 0) + 1);
    if (report.failure !== null) {
      this.failures.push(report);
      if (this.failures.length <= failuresShownMax) console.log(report.failure.text);
    }
  }

  get missing(): string[] {
    return situations.filter((situation) => !this.#coverage.has(situation));
  }

  print(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const hours = this.#simulatedMs / 3_600_000;
    console.log(
      `${this.seeds} seeds in ${seconds.toFixed(1)} s (${((this.seeds / seconds) * 60).toFixed(0)} a minute${flags.once ? "" : ", each run twice"})`,
    );
    console.log(`${hours.toFixed(1)} simulated hours, ${this.#events} events, ${this.#tasks} tasks`);
    console.log(`faults: ${[...this.#faults].map(([kind, count]) => `${kind} ${count}`).join(", ") || "none"}`);
    console.log("situations, by the number of seeds they came up in:");
    for (const situation of situations)
      console.log(`  ${String(this.#coverage.get(situation) ?? 0).padStart(6)}  ${situation}`);
    const { failures, missing } = this;
    if (failures.length > 0) {
      console.log(`${failures.length} seeds FAILED:`);
      for (const { seed, failure } of failures.slice(0, 40))
        console.log(`  seed ${seed}: ${failure?.invariants.join(" ")}`);
    }
    if (missing.length > 0 && this.seeds >= coverageSeedsMin)
      console.log(`INVALID: never came up: ${missing.join("; ")}`);
    if (this.isGood) console.log("no violation");
  }

  get isGood(): boolean {
    return this.failures.length === 0 && (this.missing.length === 0 || this.seeds < coverageSeedsMin);
  }
}

async function runAll(from: number, count: number): Promise<Tally> {
  const tally = new Tally();
  let next = from;
  const children = Math.min(count, Number(flags.processes ?? availableParallelism()));
  await Promise.all(
    Array.from({ length: children }, () => {
      const child = fork(import.meta.filename, ["--shard", ...(flags.once ? ["--once"] : [])]);
      const feed = (): void => {
        const isStopped = flags["stop-at-first"] && tally.failures.length > 0;
        if (next < from + count && !isStopped) child.send(next++);
        else child.disconnect();
      };
      child.on("message", (message: SeedReport | "ready") => {
        if (message !== "ready") tally.add(message);
        feed();
      });
      return new Promise<void>((resolve, reject) => {
        child.on("exit", (code) =>
          code === 0 ? resolve() : reject(new Error(`a process of the simulation ended with ${code}`)),
        );
      });
    }),
  );
  return tally;
}

/** One seed, every line of its trace, and its end. */
async function traceOne(seed: number): Promise<boolean> {
  const lines: string[] = [];
  const result = await simulate(seed, (at, line) => lines.push(`${(at / 1000).toFixed(3).padStart(10)}  ${line}`));
  console.log(lines.join("\n"));
  console.log(`seed ${seed}: ${describeKnobs(result.knobs)}`);
  for (const { invariant, message } of result.violations) console.log(`${invariant}: ${message}`);
  console.log(`trace hash ${result.traceHash}; ${result.violations.length} violations`);
  return result.violations.length === 0;
}

if (flags.shard) serve();
else if (flags.trace) process.exitCode = (await traceOne(Number(flags.from))) ? 0 : 1;
else {
  const tally = await runAll(Number(flags.from), Number(flags.seeds));
  tally.print();
  process.exitCode = tally.isGood ? 0 : 1;
}
