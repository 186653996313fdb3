/** Runs one stage of `npm test` as a process and counts its tests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { relative } from "node:path";
import type { Stage } from "./stages.ts";

/** A stage that runs longer than this hangs, and is ended. */
const stageMinutesMax = 20;
/** How long a stage may take to end after SIGTERM, before SIGKILL. */
const endMsMax = 5000;
const backgroundPriority = 10;

export interface TimedTest {
  readonly file: string;
  readonly name: string;
  readonly durationMs: number;
}

export interface StageResult {
  readonly passed: number;
  /** At least 1 if the stage failed. */
  readonly failed: number;
  readonly tests: readonly TimedTest[];
  readonly output: string;
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly duration?: number }[];
  }[];
}

/** Ends one running stage; resolves when it has ended. */
const running = new Set<() => Promise<void>>();

export async function endRunningStages(): Promise<void> {
  await Promise.all([...running].map((end) => end()));
}

/** `report` is the file that vitest's JSON report goes to. */
export async function runStage(stage: Stage, report: string): Promise<StageResult> {
  const extra =
    stage.counts === "report" ? ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`] : [];
  const { code, output } = await run(stage, [...stage.arguments, ...extra]);
  const counts = countTests(stage, output, report);
  return { ...counts, failed: code === 0 ? counts.failed : Math.max(counts.failed, 1), output };
}

/** Runs the script with the Node of this process, never with the machine's. */
async function run(stage: Stage, given: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ["--run", stage.script, "--", ...given], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, [process.stdout.isTTY ? "FORCE_COLOR" : "NO_COLOR"]: "1" },
    // A process group of its own, so that all of its processes can be ended together.
    detached: true,
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  if (stage.isBackground && child.pid !== undefined) setPriority(child.pid, backgroundPriority);
  const signalAll = (signal: NodeJS.Signals) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-child.pid, signal);
  };
  const closed = once(child, "close") as Promise<[number | null]>;
  const end = async () => {
    signalAll("SIGTERM");
    const killing = setTimeout(() => signalAll("SIGKILL"), endMsMax);
    await closed;
    clearTimeout(killing);
  };
  const alarm = setTimeout(() => {
    output += `\nended by npm test: it was still running after ${stageMinutesMax} minutes`;
    signalAll("SIGKILL");
  }, stageMinutesMax * 60_000);
  running.add(end);
  try {
    const [code] = await closed;
    return { code, output };
  } finally {
    clearTimeout(alarm);
    running.delete(end);
  }
}

function countTests(stage: Stage, output: string, report: string): Omit<StageResult, "output"> {
  if (stage.counts === "report" && existsSync(report)) {
    const read = JSON.parse(readFileSync(report, "utf8")) as Report;
    const tests = read.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map((test) => ({
        file: relative(process.cwd(), name),
        name: test.fullName,
        durationMs: test.duration ?? 0,
      })),
    );
    return { passed: read.numPassedTests, failed: read.numFailedTests, tests };
  }
  if (stage.counts === "seeds") {
    const ran = Number(/^(\d+) seeds in /m.exec(output)?.[1] ?? 0);
    const failed = Number(/^(\d+) seeds FAILED/m.exec(output)?.[1] ?? 0);
    return { passed: ran - failed, failed, tests: [] };
  }
  return { passed: 0, failed: 0, tests: [] };
}
