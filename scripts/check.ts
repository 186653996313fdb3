/**
 * `npm test`: every check and every test, one stage after the other, until the first one fails.
 *
 * `node scripts/check.ts lint unit` runs only those stages. The last line is always `N passed, N failed`, over all tests
 * and simulated seeds that ran; a stage that failed without counting tests is one failure.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Simulated clusters in every run; more of them with `npm run sim -- --seeds N`. */
const seeds = 300;
/** A stage that is still running after this long hangs. */
const stageMinutesMax = 20;

interface Stage {
  /** A script of package.json. */
  readonly script: string;
  /** Where its counts come from: nowhere, vitest's JSON report, or the simulator's `N seeds in …` and `N seeds FAILED`. */
  readonly counts: "none" | "report" | "seeds";
  readonly arguments: readonly string[];
}

const stages: readonly Stage[] = [
  check("types"),
  check("lint"),
  check("format:check"),
  check("layers"),
  check("house"),
  check("documents"),
  check("dead-code"),
  check("build"),
  tests("unit"),
  tests("contracts"),
  tests("scenarios"),
  tests("simulation"),
  { script: "sim", counts: "seeds", arguments: ["--seeds", String(seeds)] },
  tests("integration"),
  tests("e2e"),
];

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const total = { passed: 0, failed: 0 };
const wanted = chooseStages(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "outlast-check-"));
const startedAt = performance.now();
process.on("exit", () => rmSync(folder, { recursive: true }));
for (const stage of wanted) {
  if (!(await runStage(stage))) break;
}
console.log(`${total.failed === 0 ? "all is well" : "stopped at the first failure"} after ${since(startedAt)}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

function check(script: string): Stage {
  return { script, counts: "none", arguments: [] };
}

function tests(script: string): Stage {
  return { script, counts: "report", arguments: [] };
}

function chooseStages(names: readonly string[]): readonly Stage[] {
  const unknown = names.filter((name) => !stages.some((stage) => stage.script === name));
  if (unknown.length > 0) {
    console.error(
      `There is no stage ${unknown.join(", ")}; there are ${stages.map((stage) => stage.script).join(", ")}.`,
    );
    process.exit(2);
  }
  return names.length === 0 ? stages : stages.filter((stage) => names.includes(stage.script));
}

/** True if it passed; otherwise its whole output has been shown. */
async function runStage(stage: Stage): Promise<boolean> {
  process.stdout.write(`${stage.script.padEnd(14)}`);
  const stageStartedAt = performance.now();
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  const extra =
    stage.counts === "report" ? ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`] : [];
  const { code, output } = await run(stage.script, [...stage.arguments, ...extra]);
  const counts = countTests(stage, output, report);
  const failed = code === 0 ? counts.failed : Math.max(counts.failed, 1);
  total.passed += counts.passed;
  total.failed += failed;
  const summary = stage.counts === "none" ? "" : `  ${counts.passed} passed`;
  console.log(`${failed === 0 ? "ok" : "FAILED"}  ${since(stageStartedAt).padStart(7)}${summary}`);
  if (failed > 0) console.log(`\n${output.trimEnd()}\n\nAgain, alone: npm run ${stage.script}`);
  return failed === 0;
}

/** Runs a script of package.json by this Node, never by the machine's. */
function run(script: string, scriptArguments: readonly string[]): Promise<{ code: number | null; output: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; output: string }>();
  const child = spawn(process.execPath, ["--run", script, "--", ...scriptArguments], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, [process.stdout.isTTY ? "FORCE_COLOR" : "NO_COLOR"]: "1" },
    // A process group of its own, so that all of it can be ended together.
    detached: true,
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const endAll = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  };
  const end = (signal: NodeJS.Signals) => {
    endAll(signal);
    console.log(`\n${output.trimEnd()}\n\nended by ${signal}`);
    process.exit(1);
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  const alarm = setTimeout(() => {
    output += `\nended by the check: it was not done after ${stageMinutesMax} minutes`;
    endAll("SIGKILL");
  }, stageMinutesMax * 60_000);
  child.once("error", reject);
  child.once("close", (code) => {
    clearTimeout(alarm);
    process.off("SIGINT", end).off("SIGTERM", end);
    resolve({ code, output });
  });
  return promise;
}

function countTests(stage: Stage, output: string, report: string): Counts {
  if (stage.counts === "report") {
    if (!existsSync(report)) return { passed: 0, failed: 0 };
    const read = JSON.parse(readFileSync(report, "utf8")) as { numPassedTests: number; numFailedTests: number };
    return { passed: read.numPassedTests, failed: read.numFailedTests };
  }
  if (stage.counts === "seeds") {
    const ran = Number(/^(\d+) seeds in /m.exec(output)?.[1] ?? 0);
    const failed = Number(/^(\d+) seeds FAILED/m.exec(output)?.[1] ?? 0);
    return { passed: ran - failed, failed };
  }
  return { passed: 0, failed: 0 };
}

function since(instant: number): string {
  return `${((performance.now() - instant) / 1000).toFixed(1)} s`;
}
