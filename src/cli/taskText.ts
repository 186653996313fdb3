/** Tasks as text: the columns of `outlast ls`, the page of `outlast show`, the line for a task that ended. */

import type { AttemptRecord } from "../model/attemptRecord.ts";
import { processEndText } from "../model/besideAttempts.ts";
import { counted } from "../model/counted.ts";
import { isObject } from "../model/kinds/kind.ts";
import type { OpenRun } from "../model/kinds/remote.ts";
import { describeWork } from "../model/kinds/table.ts";
import { isFinal, isSuspect, type Progress, type TaskDocument, type TaskState } from "../model/task.ts";
import type { RememberedStep } from "../sdk/taskViews.ts";
import { type Paint, plain, taskColours } from "./colour.ts";
import { formatBytes, formatDuration, formatInstant } from "./duration.ts";
import type { Column } from "./table.ts";
import { printable } from "./terminalText.ts";

export function taskColumns(now: number): readonly Column<TaskDocument>[] {
  return [
    { title: "ID", text: (task) => task.id },
    { title: "NAME", text: (task) => (task.name === task.id ? "" : task.name), isElastic: true },
    { title: "WORK", text: describeWork, isElastic: true },
    { title: "STATE", text: (task) => task.state, colour: (task) => taskColours[task.state] },
    { title: "TRY", text: (task) => (task.attempt === 0 ? "" : String(task.attempt)), isRightAligned: true },
    { title: "HOST", text: (task) => task.host ?? "", isElastic: true },
    { title: "AGE", text: (task) => formatDuration(now - task.createdAt), isRightAligned: true },
    { title: "TOOK", text: (task) => tookText(task, now), isRightAligned: true },
  ];
}

/** `3 of 10, reading part 4`. */
function progressText({ done, total, text }: Progress): string {
  return `${done}${total === undefined ? "" : ` of ${total}`}${text === undefined ? "" : `, ${text}`}`;
}

/** `3 steps, 10 children: 2 running, 8 success`. */
function familyText({ family, childCounts }: TaskDocument, paint: Paint): string | null {
  if (family === undefined) return null;
  const { steps, children } = family;
  const parts = [
    ...(steps === 0 ? [] : [counted(steps, "remembered step")]),
    ...(children === 0 ? [] : [counted(children, "child", "children")]),
  ];
  if (parts.length === 0) return null;
  return parts.join(", ") + (childCounts === undefined ? "" : `: ${countsText(childCounts, paint)}`);
}

function tookText(task: TaskDocument, now: number): string {
  if (task.startedAt === undefined) return "";
  if (task.state === "running") return formatDuration(Math.max(0, now - task.startedAt));
  return task.endedAt === undefined ? "" : formatDuration(Math.max(0, task.endedAt - task.startedAt));
}

/** `12 running, 3 success`: in the order in which a task lives. */
export function countsText(counts: { readonly [state: string]: number }, paint: Paint): string {
  const parts = (Object.keys(taskColours) as TaskState[])
    .filter((state) => (counts[state] ?? 0) > 0)
    .map((state) => {
      const text = `${counts[state] ?? 0} ${state}`;
      const colour = taskColours[state];
      return colour === null ? text : paint(colour, text);
    });
  return parts.length === 0 ? "no tasks" : parts.join(", ");
}

/** The details of a task, one label and value per line. */
export function taskPage(task: TaskDocument, paint: Paint, now: number): string[] {
  const colour = taskColours[task.state];
  const rows: [string, string | null][] = [
    ["id", task.id],
    ["name", task.name === task.id ? null : printable(task.name)],
    ["work", printable(describeWork(task))],
    ["state", colour === null ? task.state : paint(colour, task.state)],
    ["progress", task.progress === undefined ? null : printable(progressText(task.progress))],
    ["waits", waitingText(task, now)],
    [
      "why",
      task.state === "success" || task.error === undefined
        ? null
        : printable(`${task.error.code}: ${task.error.message}`),
    ],
    ["exit", exitText(task)],
    [
      "output",
      task.output === undefined ? null : JSON.stringify(task.output, null, 2).replaceAll("\n", `\n${" ".repeat(11)}`),
    ],
    ["attempt", task.attempt === 0 ? null : attemptText(task)],
    [
      "suspect",
      isSuspect(task)
        ? `lost its worker ${task.losses} times in a row${task.isAlone === true ? "; it runs alone there" : ""}`
        : null,
    ],
    ["template", task.origin === undefined ? null : printable(originText(task.origin))],
    ["host", task.host ?? null],
    ["job", task.openRun === undefined ? null : printable(openRunText(task.openRun))],
    ["parent", task.parent ?? null],
    ["backup", backupText(task)],
    ["family", familyText(task, paint)],
    ["key", task.concurrencyKey === undefined ? null : keyText(task.concurrencyKey, task.concurrencyMax)],
    ["unique", task.uniqueKey === undefined ? null : printable(task.uniqueKey)],
    ["requires", task.requires === undefined ? null : printable(task.requires.join(", "))],
    ["broadcast", task.broadcast === true ? "once on every worker that could take it" : null],
    ["queue", task.queue + (task.priority === 0 ? "" : `, priority ${task.priority}`)],
    ["created", instantText(task.createdAt, now)],
    ["not before", task.startAt === null ? null : instantText(task.startAt, now)],
    ["retry", task.retryAt !== undefined ? instantText(task.retryAt, now) : null],
    ["started", task.startedAt === undefined ? null : instantText(task.startedAt, now)],
    ["ended", task.endedAt === undefined ? null : instantText(task.endedAt, now)],
    ["took", tookText(task, now) === "" ? null : tookText(task, now)],
    ["timeout", task.limits.timeoutMs === null ? null : formatDuration(task.limits.timeoutMs)],
    ["log", task.logBytes === undefined ? null : formatBytes(task.logBytes)],
  ];
  return rows.flatMap(([label, value]) => (value === null ? [] : [`${paint("dim", label.padEnd(10))} ${value}`]));
}

/** `3 (1 of at most 3 failed, 1 lost with their worker)`. What never runs itself, such as a graph, has no attempts. */
function attemptText({ attempt, failures, kills, limits: { attemptsMax } }: TaskDocument): string {
  if (failures + kills === 0) return String(attempt);
  return `${attempt} (${failures} of at most ${attemptsMax} failed, ${kills} lost with their worker)`;
}

/** `batch, 4711`: the service, and what it calls the job. */
function openRunText({ service, handle, key }: OpenRun): string {
  return `${service}, ${handle ?? `key ${key}; whether it was started is not known`}`;
}

/** `customer-7`, or `api, at most 3 at a time`. */
function keyText(key: string, max = 1): string {
  return printable(key) + (max === 1 ? "" : `, at most ${max} at a time`);
}

/** Where another worker does the same because a task takes much longer than its siblings. */
function backupText({ backup, backupOf }: TaskDocument): string | null {
  if (backupOf !== undefined) return `of ${backupOf}, which does the same and took much longer than its siblings`;
  if (backup === undefined) return null;
  return `${backup.id}${backup.isWinner === true ? ", which was done first: its result is that of this task" : ""}`;
}

function waitingText({ waiting }: TaskDocument, now: number): string | null {
  if (waiting === undefined) return null;
  const { since, until, advice } = waiting;
  const how =
    until === undefined ? `for ${formatDuration(Math.max(0, now - since))}` : `until ${instantText(until, now)}`;
  const detail = printable(waiting.detail.replace(/^waits /, ""));
  return `${detail}, ${how}${advice === undefined ? "" : `; ${printable(advice)}`}`;
}

export function stepColumns(now: number): readonly Column<RememberedStep>[] {
  return [
    { title: "STEP", text: ({ key }) => key },
    { title: "REMEMBERED", text: ({ step }) => (step.at === undefined ? "" : `${formatDuration(now - step.at)} ago`) },
    { title: "RESULT", text: ({ step }) => stepText(step), isElastic: true },
  ];
}

function stepText(step: RememberedStep["step"]): string {
  if ("children" in step) {
    const { succeeded, failed, cancelled } = step.children;
    return `children: ${countsText({ success: succeeded, failed, cancelled }, plain)}`;
  }
  if ("slept" in step) return "slept";
  if ("signal" in step) return step.signal === null ? "no signal came in time" : `signal ${step.signal.id}`;
  return (JSON.stringify(step.value) ?? "").slice(0, stepTextMax);
}

const stepTextMax = 100;

/** @param known all attempts of the task, beside which these may have run */
export function attemptColumns(now: number, known: readonly AttemptRecord[]): readonly Column<AttemptRecord>[] {
  const processEnd: Column<AttemptRecord> = {
    title: "PROCESS",
    text: (attempt) => processEndText(attempt, known, now, formatDuration)?.replace(/^its process /, "") ?? "",
  };
  return [
    { title: "TRY", text: ({ attempt }) => String(attempt), isRightAligned: true },
    { title: "HOST", text: ({ worker }) => worker, isElastic: true },
    { title: "ASSIGNED", text: ({ assignedAt }) => formatInstant(assignedAt) },
    {
      title: "TOOK",
      text: ({ startedAt, assignedAt, endedAt = now }) =>
        formatDuration(Math.max(0, endedAt - (startedAt ?? assignedAt))),
      isRightAligned: true,
    },
    { title: "OUTCOME", text: ({ outcome = "running" }) => outcome },
    ...(known.some(({ processEndedAt }) => processEndedAt !== undefined) ? [processEnd] : []),
    {
      title: "WHY",
      text: ({ error }) => (error === undefined ? "" : `${error.code}: ${error.message}`),
      isElastic: true,
    },
  ];
}

function originText({ template, version, variables }: NonNullable<TaskDocument["origin"]>): string {
  const values = Object.entries(variables).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [`${template}, version ${version}`, ...values].join(", ");
}

function exitText(task: TaskDocument): string | null {
  if (task.exit === undefined) return null;
  const { code, signal, bounds = {} } = task.exit;
  const means = [
    ...(bounds.memory === undefined
      ? []
      : [`memory by ${bounds.memory === "cgroup" ? "cgroup" : "process (prlimit)"}`]),
    ...(bounds.processes === undefined ? [] : ["processes by cgroup"]),
  ];
  const how = means.length === 0 ? "" : `; bounds: ${means.join(", ")}`;
  return commandText(task) + (signal === null ? `code ${code}` : `signal ${signal}`) + how;
}

/** Which of several commands this is the end of, unless all have succeeded. */
function commandText({ exits, input, exit }: TaskDocument): string {
  const commands = isObject(input) ? input["commands"] : undefined;
  if (exits === undefined || !Array.isArray(commands) || commands.length < 2 || exit?.code === 0) return "";
  return `command ${exits.length} of ${commands.length}: `;
}

export function instantText(at: number, now: number): string {
  return `${formatInstant(at)} (${at > now ? `in ${formatDuration(at - now)}` : `${formatDuration(now - at)} ago`})`;
}

/** How a task ended, in a sentence. */
export function endText(task: TaskDocument): string {
  const name = task.name === task.id ? task.id : `${task.id} (${task.name})`;
  const why = task.state === "success" || task.error === undefined ? "" : `: ${task.error.message}`;
  return printable(`${name} ${isFinal(task.state) ? "ended as" : "is"} ${task.state}${why}`);
}
