/** What an import of a crontab has done or would do: for people a table with notes, for programs one document. */
import type { ExecInput } from "../../model/kinds/exec.ts";
import type { Overlap } from "../../model/schedules/schedule.ts";
import type { Output } from "../output.ts";
import { whenText } from "../scheduleText.ts";
import type { Column } from "../table.ts";
import { printable } from "../terminalText.ts";
import type { ImportPlan, PlannedLine } from "./importPlan.ts";

export interface ImportOutcome {
  readonly plan: ImportPlan;
  readonly goneRule: "keep" | "pause" | "remove";
  readonly isDryRun: boolean;
  /** The queue of the tasks, if no connected worker serves it. */
  readonly unservedQueue: string | null;
}

/** For `--json`. */
export function jsonOf(outcome: ImportOutcome): object {
  const { plan, goneRule, isDryRun } = outcome;
  return {
    schedules: plan.lines.map(({ name, line, state, changes, isPaused, content }) => ({
      ...{ name, line, state, ...content },
      ...(changes.length > 0 && { changes }),
      ...(isPaused && { isPaused }),
    })),
    gone: plan.gone.map(({ name, isPaused }) => ({ name, isPaused: isPaused || goneRule === "pause" })),
    goneRule,
    warnings: warningsOf(outcome),
    isDryRun,
  };
}

export function show(outcome: ImportOutcome, output: Output): void {
  const { plan, isDryRun } = outcome;
  const { lines } = plan;
  if (lines.length > 0) output.table(columnsOf(lines), lines);
  const counts = (["new", "changed", "unchanged"] as const).flatMap((state) => {
    const count = lines.filter((line) => line.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const sum = `${lines.length} ${lines.length === 1 ? "schedule" : "schedules"}`;
  output.note(
    `${sum}${counts.length === 0 ? "" : `: ${counts.join(", ")}`}.${isDryRun ? " This is a dry run: nothing was done." : ""}`,
  );
  const [first] = lines;
  if (first !== undefined) output.note(settingsOf(first));
  const gone = goneNote(outcome);
  if (gone !== null) output.note(gone);
  for (const warning of warningsOf(outcome)) output.note(`Warning: ${warning}`);
}

function columnsOf(lines: readonly PlannedLine[]): readonly Column<PlannedLine>[] {
  const columns: readonly Column<PlannedLine>[] = [
    { title: "LINE", text: ({ line }) => String(line), isRightAligned: true },
    { title: "SCHEDULE", text: ({ name }) => name },
    { title: "STATE", text: stateText },
    { title: "WHEN", text: ({ content }) => printable(whenText(content.when)) },
    { title: "COMMAND", text: ({ program }) => printable(program), isElastic: true },
  ];
  const more: readonly Column<PlannedLine>[] = [
    { title: "STDIN", text: stdinText, isElastic: true },
    { title: "ENVIRONMENT", text: environmentText, isElastic: true },
  ];
  return [...columns, ...more.filter(({ text }) => lines.some((line) => text(line) !== ""))];
}

/** Such as `changed (when), paused`. */
function stateText({ state, changes, isPaused }: PlannedLine): string {
  return `${state}${changes.length === 0 ? "" : ` (${changes.join(", ")})`}${isPaused ? ", paused" : ""}`;
}

function inputOf({ content }: PlannedLine): ExecInput {
  return (content.task?.["input"] ?? {}) as ExecInput;
}

function stdinText(line: PlannedLine): string {
  const { stdin } = inputOf(line);
  return stdin === undefined ? "" : JSON.stringify(stdin);
}

/** With the shell, if it is not /bin/sh. */
function environmentText(line: PlannedLine): string {
  const { env = {} } = inputOf(line);
  const all = Object.entries({ ...line.exported, ...env, ...(line.shell !== "/bin/sh" && { SHELL: line.shell }) });
  return all.map(([name, value]) => `${name}=${value}`).join(" ");
}

function settingsOf({ content }: PlannedLine): string {
  const { attemptsMax = 1 } = (content.task ?? {}) as { readonly attemptsMax?: number };
  const tries =
    attemptsMax === 1 ? "A command that fails is not tried again" : `A command is tried up to ${attemptsMax} times`;
  return `${tries}; while one runs, its next tick ${beside[content.overlap ?? "allow"]}; it begins in the home folder of the worker's user, or in HOME.`;
}

const beside: { readonly [Each in Overlap]: string } = {
  allow: "runs beside it",
  skip: "is skipped",
  queue: "waits",
  cancel: "cancels it",
};

function goneNote({ plan: { gone }, goneRule, isDryRun }: ImportOutcome): string | null {
  if (gone.length === 0) return null;
  const names = gone.map(({ name, isPaused }) => (isPaused ? `${name} (paused)` : name)).join(", ");
  const those =
    gone.length === 1 ? "1 schedule of an earlier import has" : `${gone.length} schedules of earlier imports have`;
  const done = { keep: "kept", pause: "paused", remove: "removed" }[goneRule];
  const were = isDryRun ? "would be" : gone.length === 1 ? "was" : "were";
  const advice = goneRule === "keep" ? " See --gone pause and --gone remove." : "";
  return `${those} no line any more and ${were} ${done}: ${names}.${advice}`;
}

function warningsOf({ plan: { lines, doubles }, unservedQueue }: ImportOutcome): readonly string[] {
  const users = [...new Set(lines.flatMap(({ user }) => (user === undefined ? [] : [user])))];
  const workers = `outlast worker --queues ${unservedQueue}`;
  const up = `outlast up --queues ${unservedQueue === "default" ? "default" : `default,${unservedQueue}`}`;
  return [
    ...doubles.map(
      ({ line, name }) => `the schedule ${name} runs the command of line ${line.line}, too, and is left as it is.`,
    ),
    ...(users.length === 0
      ? []
      : [`commands run as the user of their worker, whatever user their line names (${users.join(", ")}).`]),
    ...(unservedQueue === null
      ? []
      : [
          `no connected worker serves the queue ${unservedQueue}, so tasks wait there. Start one: ${workers}, or ${up}.`,
        ]),
  ];
}
