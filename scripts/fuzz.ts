/**
 * Fuzzes a real master: `npm run fuzz -- --minutes 5 --seed N`, with `--token` to have one in use.
 *
 * What it finds is made as small as it can be and written into the run's folder, with the one command that plays it again
 * (`--replay FILE`). The same seed makes the same cases: `--from 1234 --cases 1` plays number 1234 of a seed alone.
 */
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { commaList } from "../src/cli/arguments.ts";
import { blockedMsMax, Campaign, type CampaignReport, type Target } from "../src/proof/fuzz/campaign.ts";
import type { Finding } from "../src/proof/fuzz/findings.ts";
import { sieges } from "../src/proof/fuzz/sieges.ts";
import type { Case } from "../src/proof/fuzz/steps.ts";
import { count, minutes, ordinal } from "./flags.ts";
import { startTarget } from "./fuzzTarget.ts";

interface FuzzFlags {
  readonly minutes: number;
  readonly cases: number;
  readonly seed: number;
  readonly from: number;
  readonly refusals: number;
  readonly sieges?: readonly string[];
  readonly token: boolean;
  readonly standby: boolean;
  readonly stopAtFirst: boolean;
  readonly replay?: string;
  readonly folder?: string;
}

const flags = new Command("npm run fuzz --")
  .description("Sends a real master what it does not expect, and checks that it answers as it should.")
  .option("--minutes <n>", "how long at most", minutes, 5)
  .option("--cases <n>", "how many cases at most", count, Number.POSITIVE_INFINITY)
  .option("--seed <n>", "the same seed makes the same cases; drawn if left out", ordinal, randomInt(1_000_000))
  .option("--from <n>", "the first case of the seed", ordinal, 0)
  .option("--refusals <n>", "how many refusals are looked at one by one", ordinal, 500)
  .option("--sieges <names>", "which to lay, parted by commas; `none`, or all of them if left out", siegeList)
  .option("--token", "with a token in use", false)
  .option("--standby", "shoots at a standby with a leader behind it", false)
  .option("--stop-at-first", "ends at the first finding", false)
  .option("--replay <file>", "plays one finding again")
  .option("--folder <folder>", "for logs, data and findings; a new one if left out")
  .parse()
  .opts<FuzzFlags>();

function siegeList(text: string): readonly string[] {
  if (text === "none") return [];
  const names = commaList(text);
  const unknown = names.find((name) => !sieges.some((siege) => siege.name === name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`"${unknown}" is no siege; there are ${sieges.map(({ name }) => name).join(", ")}.`);
}

const { seed } = flags;
const folder = flags.folder ?? mkdtempSync(join(tmpdir(), "outlast-fuzz-"));
mkdirSync(folder, { recursive: true });
const target = await startTarget({ directory: folder, hasToken: flags.token, isStandby: flags.standby });
const campaign = new Campaign({
  target,
  seed,
  casesMax: flags.cases,
  msMax: flags.minutes * 60_000,
  refusals: flags.refusals,
  from: flags.from,
  isOverAtFirst: flags.stopAtFirst,
  sieges: sieges.filter(({ name }) => flags.sieges?.includes(name) ?? true),
  onProgress: (line) => console.log(line),
});
process.exitCode = flags.replay === undefined ? await hunt() : await replay(flags.replay, target);

async function hunt(): Promise<number> {
  console.log(
    `seed ${seed}${flags.token ? ", with a token" : ""}${flags.standby ? ", at a standby" : ""}; logs and data in ${folder}`,
  );
  const report = await campaign.run();
  print(report);
  if (report.findings.length === 0) rmSync(folder, { recursive: true });
  return report.findings.length === 0 ? 0 : 1;
}

async function replay(file: string, shotAt: Target): Promise<number> {
  const given = JSON.parse(readFileSync(file, "utf8")) as Case;
  const offences = await campaign.replay(given);
  for (const { rule, message } of offences) console.log(`${rule}: ${message}`);
  const problems = await shotAt.finish();
  for (const problem of problems) console.log(problem);
  console.log(`${offences.length + problems.length} offences`);
  return offences.length + problems.length === 0 ? 0 : 1;
}

function print(report: CampaignReport): void {
  console.log("\nanswers by operation and status:");
  for (const [name, statuses] of [...report.answers].toSorted(([a], [b]) => a.localeCompare(b))) {
    const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status} × ${count}`);
    console.log(`  ${name.padEnd(34)} ${counts.join("  ")}`);
  }
  console.log(`cases: ${[...report.casesByName].map(([name, count]) => `${name} ${count}`).join(", ")}`);
  console.log(
    `refusals that were looked at one by one: ${report.refusals}; honest tasks done: ${report.honest}, ${report.lateLogs} logs late`,
  );
  const { answersMs, blockedMsWorst } = report.loop;
  const at = (share: number) => (answersMs[Math.floor((answersMs.length - 1) * share)] ?? 0).toFixed(0);
  console.log(`/healthz answered in ${at(0.5)} ms (p50), ${at(0.99)} ms (p99), ${at(1)} ms (worst)`);
  console.log(
    `longest standstill of the event loop: ${blockedMsWorst.toFixed(0)} ms (${blockedMsMax} allowed, if it is repeated alone)`,
  );
  for (const { name, peakBytes, problems } of report.sieges) {
    console.log(
      `siege: ${name.padEnd(24)} ${problems.length === 0 ? "withstood" : "NOT withstood"}, at most ${(peakBytes / 1e6).toFixed(0)} MB`,
    );
  }
  for (const { when, residentBytes, usedBytes, files } of report.memory) {
    const [resident, used] = [residentBytes, usedBytes].map((bytes) => (bytes / 1e6).toFixed(0));
    console.log(`memory ${when}: ${used} MB in use, ${resident} MB of the system; ${files} open files`);
  }
  for (const [index, finding] of report.findings.entries()) tell(index + 1, finding);
  console.log(`\n${report.cases} cases of seed ${seed}, ${report.findings.length} findings`);
}

function tell(number: number, { rule, message, times, number: caseNumber, case: given }: Finding): void {
  console.log(`\nFINDING ${number}: ${rule}, ${times} times\n  ${message}`);
  const how = `${flags.token ? " --token" : ""}${flags.standby ? " --standby" : ""}`;
  if (given === undefined) {
    console.log(`  again: npm run fuzz -- --seed ${seed} --minutes ${flags.minutes}${how}`);
    return;
  }
  const file = join(folder, `finding-${number}.json`);
  writeFileSync(file, JSON.stringify(given, null, 2));
  if (caseNumber !== undefined) console.log(`  case ${caseNumber} (${given.name}), in ${given.steps.length} steps`);
  console.log(`  again: npm run fuzz -- --replay ${file}${how}`);
}
