/**
 * `npm test`: every check and every test. Stops at the first stage that fails.
 *
 * `node scripts/check.ts lint unit` runs only those stages. What not every machine can do (test:deploy) runs if it is named, or
 * with OUTLAST_TEST_DEPLOY=1. The last line is always `N passed, N failed`, over all tests and simulated seeds that ran; a stage that
 * failed without counting tests is one failure.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endRunningStages, runStage, type StageResult } from "./check/runStage.ts";
import { type Lane, phases, type Stage } from "./check/stages.ts";

const slowestShown = 10;

const wanted = chooseStages(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "outlast-check-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void interrupt(signal));

const isWhole = process.argv.length === 2;
const results: StageResult[] = [];
let isStopped = false;
const startedAt = performance.now();
for (const phase of phases) {
  if (!isStopped) await Promise.all(phase.map((lane) => runLane(lane)));
}
reportSlowest();
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(
  `${failed === 0 ? "all stages passed" : "stopped at the first failure"} after ${seconds(since(startedAt))}`,
);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function chooseStages(names: readonly string[]): ReadonlySet<string> {
  const all = phases.flat(2);
  const known = all.map((stage) => stage.script);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`Unknown stage ${unknown.join(", ")}. The stages are: ${known.join(", ")}.`);
    process.exit(2);
  }
  if (names.length > 0) return new Set(names);
  const isDemanded = process.env["OUTLAST_TEST_DEPLOY"] === "1";
  return new Set(all.filter(({ isOnDemand = false }) => !isOnDemand || isDemanded).map((stage) => stage.script));
}

/** The stages of one lane, one after the other. */
async function runLane(lane: Lane): Promise<void> {
  for (const stage of lane) {
    if (isStopped) return;
    if (wanted.has(stage.script)) await runAndReport(stage);
    else if (stage.isOnDemand === true && isWhole) reportLeftOut(stage);
  }
}

async function runAndReport(stage: Stage): Promise<void> {
  const stageStartedAt = performance.now();
  const result = await runStage(stage, join(folder, `${stage.script.replaceAll(":", "-")}.json`));
  const duration = seconds(since(stageStartedAt)).padStart(7);
  // Another stage failed meanwhile and this one was ended because of it: its own failure means nothing.
  if (isStopped) {
    console.log(`${stage.script.padEnd(14)}ended   ${duration}`);
    return;
  }
  results.push(result);
  const summary = stage.counts === "none" ? "" : `  ${result.passed} passed`;
  console.log(`${stage.script.padEnd(14)}${result.failed === 0 ? "ok" : "FAILED"}  ${duration}${summary}`);
  if (result.failed === 0) return;
  isStopped = true;
  console.log(`\n${result.output.trimEnd()}\n\nTo run this stage alone: npm run ${stage.script}`);
  await endRunningStages();
}

function reportLeftOut({ script }: Stage): void {
  console.log(`${script.padEnd(14)}NOT RUN  it needs root and a container engine: npm run ${script}`);
}

function reportSlowest(): void {
  const slowest = results
    .flatMap((result) => result.tests)
    .sort((first, second) => second.durationMs - first.durationMs)
    .slice(0, slowestShown);
  if (slowest.length === 0) return;
  console.log(`\nThe slowest ${slowest.length} tests:`);
  for (const test of slowest) console.log(`${seconds(test.durationMs).padStart(8)}  ${test.file}: ${test.name}`);
  console.log("");
}

async function interrupt(signal: NodeJS.Signals): Promise<void> {
  isStopped = true;
  console.log(`\nended by ${signal}`);
  await endRunningStages();
  process.exit(1);
}

function since(instant: number): number {
  return performance.now() - instant;
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
