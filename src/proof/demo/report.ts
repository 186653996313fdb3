/** What a run says when it is over: the table of promises, for a terminal, for a program, and as `report.md`. */

import type { Paint } from "../../cli/colour.ts";
import { formatDuration } from "../../cli/duration.ts";
import { tableLines } from "../../cli/table.ts";
import type { Life } from "../cluster/lives.ts";
import type { Check } from "./check.ts";
import type { Evidence } from "./evidence.ts";
import { type LeaderDeath, leaderDeaths, type Reign, reigns } from "./reigns.ts";
import { clockText } from "./view.ts";

export interface Report {
  readonly command: string;
  /** The command line that makes the same plan again. */
  readonly repeat: string;
  readonly directory: string;
  readonly seed: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly checks: readonly Check[];
  /** What was done to the processes, and when. */
  readonly story: readonly { readonly at: number; readonly text: string }[];
  readonly evidence: Evidence;
}

/** No more problems than this are told of one check; the first ones tell the most. */
const problemsShown = 10;

export function holds(report: Pick<Report, "checks">): boolean {
  return report.checks.every((check) => check.holds);
}

/** What the closing table of any run is made from. */
type Closing = Pick<Report, "checks" | "startedAt" | "endedAt" | "directory">;

export function reportLines(report: Closing, paint: Paint, columnsMax: number | null): string[] {
  const table = tableLines<Check>(
    [
      { title: "", text: mark, colour: (check) => colours[mark(check)] },
      { title: "promise", text: (check) => check.promise, isElastic: true },
      { title: "seen", text: (check) => check.seen, isElastic: true },
    ],
    report.checks,
    paint,
    columnsMax,
  );
  const which = report.checks.some(isUntested) ? "Every promise that was tested" : "Every promise";
  const verdict = holds(report)
    ? paint("green", `${which} was kept, in ${formatDuration(report.endedAt - report.startedAt)}.`)
    : paint("red", "Not every promise was seen to be kept:");
  const problems = report.checks.flatMap((check) => problemsOf(check).map((problem) => paint("red", `  ✗ ${problem}`)));
  return [
    "",
    ...table,
    "",
    verdict,
    ...problems,
    paint("dim", `Logs, tasks.txt and report.md are in ${report.directory}.`),
  ];
}

const colours = { "✓": "green", "✗": "red", "–": "yellow" } as const;

function mark(check: Check): keyof typeof colours {
  if (!check.holds) return "✗";
  return isUntested(check) ? "–" : "✓";
}

/** No case of it came up: that is no proof of anything. */
function isUntested(check: Check): boolean {
  return check.holds && check.cases === 0;
}

function problemsOf(check: Check): string[] {
  const more = check.problems.length - problemsShown;
  return [...check.problems.slice(0, problemsShown), ...(more > 0 ? [`… and ${more} more like this.`] : [])];
}

/** For `--json`: one document. */
export function reportBody(report: Report): { [key: string]: unknown } {
  const { command, repeat, directory, seed, startedAt, endedAt, checks } = report;
  return {
    command,
    repeat,
    directory,
    seed,
    startedAt,
    endedAt,
    isClean: holds(report),
    checks,
    leaders: reigns(report.evidence).map(({ epoch, from, process }) => ({ epoch, from, process })),
    leaderDeaths: leaderDeaths(report.evidence).map(({ dead, at, next, hadStandby, assignedAt }) => ({
      epoch: dead.epoch,
      process: dead.process,
      at,
      hadStandby,
      next: next?.process ?? null,
      nextAfterMs: next === null ? null : next.from - at,
      assignedAfterMs: assignedAt === null ? null : assignedAt - at,
    })),
    lives: report.evidence.lives,
  };
}

/** Of an act, whose promises are all that it has to tell. */
export function actMarkdown(act: string, closing: Closing): string {
  return [
    `# outlast demo --act ${act}, ${new Date(closing.startedAt).toISOString()}`,
    "",
    ...promiseLines(closing),
  ].join("\n");
}

function promiseLines({ checks }: Pick<Closing, "checks">): string[] {
  return [
    "| | promise | seen |",
    "|---|---|---|",
    ...checks.map((check) => `| ${mark(check)} | ${check.promise} | ${check.seen} |`),
    "",
    ...checks
      .filter((check) => !check.holds)
      .flatMap((check) => [`### Broken: ${check.promise}`, "", ...check.problems.map((problem) => `- ${problem}`), ""]),
  ];
}

export function reportMarkdown(report: Report): string {
  const { evidence, startedAt } = report;
  const killed = evidence.lives.filter((life) => life.cause === "killed").length;
  const deaths = leaderDeaths(evidence);
  return [
    `# outlast ${report.command}, ${new Date(startedAt).toISOString()}`,
    "",
    `${evidence.asked.length} tasks, ${evidence.lives.length} lives of ${new Set(evidence.lives.map((life) => life.process)).size} processes, ` +
      `${killed} of them ended by SIGKILL, ${deaths.length === 1 ? "once" : `${deaths.length} times`} the one that led, ${formatDuration(report.endedAt - startedAt)} in all. The same plan again: \`${report.repeat}\``,
    "",
    "## The promises",
    "",
    "Each is checked when all is over, from two witnesses: the journal, read through the API (`/v1/events` from its beginning, `/v1/tasks`), and the",
    "lines that each worker wrote into its own log when an attempt began and ended.",
    "",
    ...promiseLines(report),
    "## What happened",
    "",
    ...report.story.map((entry) => `- \`${clockText(entry.at - startedAt)}\` ${entry.text}`),
    "",
    "## Leaders",
    "",
    "Times are from the SIGKILL to the first entry of the next leader, and to the entry with its first new assignment.",
    "",
    "| epoch | leader | from | killed at | next leader after | next assignment after |",
    "|---|---|---|---|---|---|",
    ...reigns(evidence).map((reign) => reignRow(reign, deaths, startedAt)),
    "",
    "## Lives",
    "",
    "| process | life | from | to | ended by |",
    "|---|---|---|---|---|",
    ...evidence.lives.map((life) => lifeRow(life, startedAt)),
    "",
  ].join("\n");
}

function reignRow(reign: Reign, deaths: readonly LeaderDeath[], startedAt: number): string {
  const death = deaths.find(({ dead }) => dead.epoch === reign.epoch);
  const after = (at: number | undefined | null) =>
    death === undefined || at === undefined || at === null ? "" : `${at - death.at} ms`;
  const killedAt = death === undefined ? "" : clockText(death.at - startedAt);
  return `| ${reign.epoch} | ${reign.process} | ${clockText(reign.from - startedAt)} | ${killedAt} | ${after(death?.next?.from)} | ${after(death?.assignedAt)} |`;
}

function lifeRow(life: Life, startedAt: number): string {
  const to = life.endedAt === null ? "" : clockText(life.endedAt - startedAt);
  return `| ${life.process} | ${life.number} | ${clockText(life.startedAt - startedAt)} | ${to} | ${life.cause === "killed" ? "SIGKILL" : (life.exit ?? "")} |`;
}
