/** A run of `outlast chaos`: starts a real cluster under load, injects faults, waits for recovery, and checks the promises. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { clockText } from "../demo/view.ts";
import { count } from "./check.ts";
import { checkAll } from "./checks.ts";
import type { Evidence } from "./evidence.ts";
import { faultText, type Strike } from "./faults.ts";
import { figuresOf } from "./figures.ts";
import { Hunt } from "./hunt.ts";
import { askOnly } from "./onlyClients.ts";
import type { ChaosOptions } from "./options.ts";
import { reportPage } from "./page/page.ts";
import { planFaults } from "./plan.ts";
import { isClean, type Report, reportBody, reportLines, reportMarkdown } from "./report.ts";
import { Scene } from "./scene.ts";

/** How often the run says how it stands. */
const tellEveryMs = 5_000;

/** True if every promise was kept. */
export async function runChaos(options: ChaosOptions): Promise<boolean> {
  const startedAt = Date.now();
  const tell = (text: string) => {
    if (!options.output.isJson) options.output.line(`${clockText(Date.now() - startedAt)}  ${text}`);
  };
  const { mastersAt } = options;
  if (mastersAt !== null) return close(await askOnly({ ...options, mastersAt }, tell), options);
  const scene = await Scene.set(options);
  const onInterrupt = Promise.withResolvers<never>();
  onInterrupt.promise.catch(() => {});
  const abort = () => {
    tell("Interrupted: ending every process of this run");
    onInterrupt.reject(options.signal.reason);
  };
  options.signal.addEventListener("abort", abort, { once: true });
  if (options.signal.aborted) abort();
  try {
    return await Promise.race([play(scene, options, tell), onInterrupt.promise]);
  } finally {
    options.signal.removeEventListener("abort", abort);
    await scene.strike();
  }
}

async function play(scene: Scene, options: ChaosOptions, tell: (text: string) => void): Promise<boolean> {
  for (const note of scene.notes) tell(note);
  await scene.open();
  tell(
    `${count(options.masters, "master")} and ${count(options.workers, "worker")} are up and at work (seed ${options.seed})`,
  );
  const telling = setInterval(() => tell(scene.status()), tellEveryMs);
  scene.onStrike = (strike: Strike) => {
    // With --kills-only there are too many of them to read.
    if (!options.isKillsOnly) tell(options.output.paint("red", faultText(strike, strike.hit)));
  };
  try {
    const faultsAt = Date.now();
    await storm(scene, options);
    tell("No more faults");
    await scene.heal();
    tell("Everything is healed");
    const healedAt = Date.now();
    const quiet = await scene.rest();
    tell(quiet.left.length === 0 ? "Everything has come to rest" : "It has not come to rest in time");
    clearInterval(telling);
    return close(await scene.close({ faultsAt, healedAt, quiet }), options);
  } finally {
    clearInterval(telling);
  }
}

async function storm(scene: Scene, options: ChaosOptions): Promise<void> {
  const { durationMs, signal } = options;
  const over = AbortSignal.any([signal, AbortSignal.timeout(durationMs)]);
  if (options.isKillsOnly) {
    await new Hunt(scene).run(over);
    signal.throwIfAborted();
    return;
  }
  const startedAt = performance.now();
  for (const fault of planFaults(options)) {
    await until(startedAt + fault.atMs, over);
    signal.throwIfAborted();
    scene.striker.begin(fault);
  }
  await until(startedAt + durationMs, over);
  signal.throwIfAborted();
}

/** Resolves at this instant of `performance.now()`, or when the signal is aborted. */
function until(at: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const waitMs = at - performance.now();
    if (signal.aborted || waitMs <= 0) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, waitMs);
    signal.addEventListener("abort", end);
  });
}

function close(evidence: Evidence, options: ChaosOptions): boolean {
  const report: Report = { options, evidence, checks: checkAll(evidence), figures: figuresOf(evidence) };
  const { output, directory } = options;
  // What was done to whom, and who lived when: for whoever wants to look closer than the report does.
  writeFileSync(join(directory, "ledger", "faults.jsonl"), toLines(evidence.strikes));
  writeFileSync(join(directory, "ledger", "lives.jsonl"), toLines(evidence.lives));
  writeFileSync(join(directory, "report.md"), reportMarkdown(report));
  writeFileSync(join(directory, "report.html"), reportPage(report));
  if (output.isJson) output.document(reportBody(report));
  else for (const line of reportLines(report, output.paint, output.columnsMax)) output.line(line);
  return isClean(report);
}

function toLines(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}
