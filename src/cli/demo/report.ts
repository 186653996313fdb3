/** What a run says when it is over: the table of promises, for a terminal, for a program, and as `report.md`. */

import { type Life, outages } from "../cluster/lives.ts";
import type { Paint } from "../colour.ts";
import { formatDuration } from "../duration.ts";
import { tableLines } from "../table.ts";
import type { Check } from "./checks.ts";
import type { Evidence } from "./evidence.ts";
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

export function holds(report: Report): boolean {
  return report.checks.every((check) => check.holds);
}

export function reportLines(report: Report, paint: Paint, columnsMax: number | null): string[] {
  const table = tableLines<Check>(
    [
      { title: "", text: (check) => (check.holds ? "✓" : "✗"), colour: (check) => (check.holds ? "green" : "red") },
      { title: "promise", text: (check) => check.promise, isElastic: true },
      { title: "seen", text: (check) => check.seen, isElastic: true },
    ],
    report.checks,
    paint,
    columnsMax,
  );
  const verdict = holds(report)
    ? paint("green", `Every promise was kept, in ${formatDuration(report.endedAt - report.startedAt)}.`)
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
    lives: report.evidence.lives,
  };
}

export function reportMarkdown(report: Report): string {
  const { evidence, startedAt } = report;
  const killed = evidence.lives.filter((life) => life.cause === "killed").length;
  const gaps = outages(evidence.lives);
  return [
    `# outlast ${report.command}, ${new Date(startedAt).toISOString()}`,
    "",
    `${evidence.asked.length} tasks, ${evidence.lives.length} lives of ${new Set(evidence.lives.map((life) => life.process)).size} processes, ` +
      `${killed} of them ended by SIGKILL, ${gaps.length} times no master, ${formatDuration(report.endedAt - startedAt)} in all. The same plan again: \`${report.repeat}\``,
    "",
    "## The promises",
    "",
    "Each is checked when all is over, from two witnesses: the journal, read through the API (`/v1/events` from its beginning, `/v1/tasks`), and the",
    "lines that each worker wrote into its own log when an attempt began and ended.",
    "",
    "| | promise | seen |",
    "|---|---|---|",
    ...report.checks.map((check) => `| ${check.holds ? "✓" : "✗"} | ${check.promise} | ${check.seen} |`),
    "",
    ...report.checks
      .filter((check) => !check.holds)
      .flatMap((check) => [`### Broken: ${check.promise}`, "", ...check.problems.map((problem) => `- ${problem}`), ""]),
    "## What happened",
    "",
    ...report.story.map((entry) => `- \`${clockText(entry.at - startedAt)}\` ${entry.text}`),
    "",
    "## Lives",
    "",
    "| process | life | from | to | ended by |",
    "|---|---|---|---|---|",
    ...evidence.lives.map((life) => lifeRow(life, startedAt)),
    "",
  ].join("\n");
}

function lifeRow(life: Life, startedAt: number): string {
  const to = life.endedAt === null ? "" : clockText(life.endedAt - startedAt);
  return `| ${life.process} | ${life.number} | ${clockText(life.startedAt - startedAt)} | ${to} | ${life.cause === "killed" ? "SIGKILL" : (life.exit ?? "")} |`;
}
