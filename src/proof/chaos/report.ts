/** What a run says when it is over: for a terminal, for a program, and as `report.md`. */
import type { Paint } from "../../cli/colour.ts";
import { formatDuration } from "../../cli/duration.ts";
import { tableLines } from "../../cli/table.ts";
import { type Check, count, grouped, holds } from "./check.ts";
import type { Evidence } from "./evidence.ts";
import { faultKinds } from "./faults.ts";
import type { Figures, Latency, Spread } from "./figures.ts";
import type { ChaosOptions } from "./options.ts";

export interface Report {
  readonly options: ChaosOptions;
  readonly evidence: Evidence;
  readonly checks: readonly Check[];
  readonly figures: Figures;
}

/** No more problems than this are told of one check; the first ones tell the most. */
const problemsShown = 20;

export function isClean({ checks }: Report): boolean {
  return checks.every(holds);
}

export function problemsOf(check: Check): string[] {
  const more = check.problems.length - problemsShown;
  return [...check.problems.slice(0, problemsShown), ...(more > 0 ? [`… and ${more} more like this.`] : [])];
}

export function reportLines(report: Report, paint: Paint, columnsMax: number | null): string[] {
  const { checks, options } = report;
  const table = tableLines<Check>(
    [
      { title: "", text: (check) => mark(check), colour: (check) => (holds(check) ? "green" : "red") },
      { title: "", text: (check) => check.invariant },
      { title: "promise", text: (check) => check.promise, isElastic: true },
      { title: "cases", text: (check) => grouped(check.cases), isRightAligned: true },
      { title: "seen", text: (check) => check.seen, isElastic: true },
    ],
    checks,
    paint,
    columnsMax,
  );
  const problems = checks.flatMap((check) => problemsOf(check).map((problem) => paint("red", `  ✗ ${problem}`)));
  const verdict = isClean(report)
    ? paint("green", "Every promise was kept.")
    : paint("red", "Some promise was broken:");
  return [
    "",
    ...table,
    "",
    ...figureRows(report).map(([name, value]) => `${name}: ${value}`),
    "",
    verdict,
    ...problems,
    paint("dim", `report.html, report.md, the ledger and all logs are in ${options.directory}.`),
  ];
}

/** A promise that was never put to the test has not been kept either. */
export function mark(check: Check): string {
  if (!holds(check)) return "✗";
  return check.cases === 0 ? "–" : "✓";
}

/** What was tested, in one sentence. */
export function introduction({ options, evidence }: Report): string {
  const { mastersAt, masters, workers, capacity, rate, seed } = options;
  const during = `${grouped(rate)} tasks a second for ${formatDuration(evidence.healedAt - evidence.faultsAt)}; seed ${seed}.`;
  if (mastersAt !== null) {
    return `The masters at ${mastersAt.join(", ")}, which nobody hit, seen by clients alone: neither journal, workers nor processes were looked at. ${during}`;
  }
  const faults = evidence.strikes.filter(({ hit }) => hit.length > 0).length;
  return (
    `${count(masters, "master")} on one store, ${count(workers, "worker")} with ${count(capacity, "slot")} each, hit by ` +
    `${count(faults, "fault")}, ${during}`
  );
}

/** The figures of a run, each with its name. */
export function figureRows({ figures, evidence, options }: Report): (readonly [string, string])[] {
  const { tasks } = figures;
  const lasted = formatDuration(evidence.healedAt - evidence.faultsAt);
  const ended = [
    ["success", tasks.success],
    ["failed", tasks.failed],
    ["cancelled", tasks.cancelled],
  ] as const;
  const seen = ["tasks", ended.map(([name, number = 0]) => `${grouped(number)} ${name}`).join(", ")] as const;
  if (options.mastersAt !== null) return [seen, ["time", lasted]];
  return [
    seen,
    ["attempts", `${grouped(figures.attempts)}, ${grouped(figures.killedAttempts)} of them cut off`],
    [
      "killed",
      `${count(figures.leaderKills, "leader")}, ${count(figures.masterKills, "master")} in all, ${count(figures.workerKills, "worker")}`,
    ],
    ["epochs", grouped(figures.epochs)],
    [
      "faults",
      faultKinds
        .flatMap((kind) => (figures.faults[kind] === undefined ? [] : [`${figures.faults[kind]} ${kind}`]))
        .join(", "),
    ],
    ["leader SIGKILL → next leader", latencyText(figures.leaderToLeader)],
    ["leader SIGKILL → next assignment runs", latencyText(figures.leaderToStart)],
    ["worker SIGKILL → next attempt runs", latencyText(figures.workerToStart)],
    ["storm", lasted],
  ];
}

function latencyText({ every, undisturbed }: Latency): string {
  if (every.all.length === 0) return "no such kill";
  if (undisturbed.all.length === 0) return `${spreadText(every)}; there were other faults each time`;
  return `${spreadText(undisturbed)} where nothing else was wrong; ${spreadText(every)} of all`;
}

export function spreadText({ all, p50, p99, max }: Spread): string {
  return `p50 ${msText(p50)}, p99 ${msText(p99)}, max ${msText(max)} (${grouped(all.length)})`;
}

export function msText(ms: number | null): string {
  return ms === null ? "–" : `${grouped(ms)} ms`;
}

/** For `--json`: one document. */
export function reportBody(report: Report): { [key: string]: unknown } {
  const { options, evidence, checks, figures } = report;
  const { seed, masters, workers, capacity, rate, repeat, directory } = options;
  return {
    command: "chaos",
    repeat,
    directory,
    seed,
    masters,
    workers,
    capacity,
    rate,
    startedAt: evidence.startedAt,
    faultsAt: evidence.faultsAt,
    healedAt: evidence.healedAt,
    endedAt: evidence.endedAt,
    isClean: isClean(report),
    checks,
    figures: {
      ...figures,
      leaderToLeader: latencyBody(figures.leaderToLeader),
      leaderToStart: latencyBody(figures.leaderToStart),
      workerToStart: latencyBody(figures.workerToStart),
    },
  };
}

function latencyBody({ every, undisturbed }: Latency): { [key: string]: unknown } {
  const body = ({ all, ...rest }: Spread) => ({ count: all.length, ...rest });
  return { every: body(every), undisturbed: body(undisturbed) };
}

export function reportMarkdown(report: Report): string {
  const { options, evidence, checks } = report;
  return [
    `# outlast chaos, ${new Date(evidence.startedAt).toISOString()}`,
    "",
    `${isClean(report) ? "Every promise was kept." : "**Some promise was broken.**"} ${introduction(report)} The same again: \`${options.repeat}\``,
    "",
    "| | |",
    "|---|---|",
    ...figureRows(report).map(([name, value]) => `| ${name} | ${value} |`),
    "",
    "| | | promise | cases | seen |",
    "|---|---|---|---:|---|",
    ...checks.map(
      (check) => `| ${mark(check)} | ${check.invariant} | ${check.promise} | ${grouped(check.cases)} | ${check.seen} |`,
    ),
    "",
    ...checks
      .filter((check) => !holds(check))
      .flatMap((check) => [
        `## Broken: ${check.promise}`,
        "",
        ...problemsOf(check).map((problem) => `- ${problem}`),
        "",
      ]),
    "The timeline is in `report.html`; the numbers are those of docs/reliability.md.",
    "",
  ].join("\n");
}
