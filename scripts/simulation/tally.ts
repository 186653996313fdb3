/** Adds up what many seeds came to, and says whether they prove anything. */
import { situations } from "../../src/proof/simulation/coverage.ts";
import type { SeedReport } from "./seedReport.ts";

/** With fewer seeds than this, a situation that never came up is bad luck; with more, the generator does not go there. */
const coverageSeedsMin = 300;
const failuresShownMax = 5;
const failuresListedMax = 40;

export class Tally {
  readonly #startedAt = performance.now();
  readonly #isOnce: boolean;
  readonly failures: SeedReport[] = [];
  seeds = 0;
  #simulatedMs = 0;
  #events = 0;
  #tasks = 0;
  readonly #worlds = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #coverage = new Map<string, number>();

  constructor(isOnce: boolean) {
    this.#isOnce = isOnce;
  }

  add(report: SeedReport): void {
    this.seeds += 1;
    this.#simulatedMs += report.simulatedMs;
    this.#events += report.events;
    this.#tasks += report.tasks;
    count(this.#worlds, report.world, 1);
    for (const [kind, times] of report.faults) count(this.#faults, kind, times);
    for (const [situation] of report.coverage) count(this.#coverage, situation, 1);
    if (report.failure === null) return;
    this.failures.push(report);
    if (this.failures.length <= failuresShownMax) console.log(report.failure.text);
  }

  /** One line while it goes on. */
  line(): string {
    const minutes = (performance.now() - this.#startedAt) / 60_000;
    const simulatedMinutes = this.#simulatedMs / 60_000;
    const faults = [...this.#faults.values()].reduce((sum, times) => sum + times, 0);
    return [
      `${this.seeds} seeds in ${minutes.toFixed(1)} min (${(this.seeds / minutes).toFixed(0)} a minute)`,
      `${(simulatedMinutes / 60).toFixed(1)} simulated hours (${(simulatedMinutes / minutes).toFixed(0)} min a minute)`,
      `${faults} faults, ${this.#tasks} tasks, ${this.failures.length} violations`,
    ].join("; ");
  }

  print(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const minutes = this.#simulatedMs / 60_000;
    console.log(
      `${this.seeds} seeds in ${seconds.toFixed(1)} s (${((this.seeds / seconds) * 60).toFixed(0)} a minute${this.#isOnce ? "" : ", each run twice"})`,
    );
    console.log(
      `${(minutes / 60).toFixed(1)} simulated hours (${((minutes / seconds) * 60).toFixed(0)} min a minute), ${this.#events} events, ${this.#tasks} tasks`,
    );
    console.log(`worlds: ${list([...this.#worlds].toSorted(([one], [other]) => (one < other ? -1 : 1)))}`);
    console.log(`faults: ${list([...this.#faults])}`);
    console.log("situations, by the number of seeds they came up in:");
    for (const situation of situations)
      console.log(`  ${String(this.#coverage.get(situation) ?? 0).padStart(6)}  ${situation}`);
    this.#printVerdict();
  }

  get isGood(): boolean {
    return this.failures.length === 0 && (this.#missing.length === 0 || this.seeds < coverageSeedsMin);
  }

  #printVerdict(): void {
    if (this.failures.length > 0) {
      console.log(`${this.failures.length} seeds FAILED:`);
      for (const { seed, failure } of this.failures.slice(0, failuresListedMax))
        console.log(`  seed ${seed}: ${failure?.invariants.join(" ")}`);
    }
    if (this.#missing.length > 0 && this.seeds >= coverageSeedsMin)
      console.log(`INVALID: never came up: ${this.#missing.join("; ")}`);
    if (this.isGood) console.log("no violation");
  }

  get #missing(): string[] {
    return situations.filter((situation) => !this.#coverage.has(situation));
  }
}

function count(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function list(counts: readonly (readonly [string, number])[]): string {
  return counts.map(([name, times]) => `${name} ${times}`).join(", ") || "none";
}
