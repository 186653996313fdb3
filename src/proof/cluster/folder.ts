/** The folder that a run leaves: made afresh, never over someone else's files, and filled at the end. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../cli/failure.ts";
import { makeDirectory } from "../../cli/makeDirectory.ts";
import type { TaskDocument } from "../../model/task.ts";
import { prettyLine } from "../../node/logFormat.ts";
import { parseObject } from "./attemptLines.ts";

/** Says that a folder is ours to replace, and how the run in it was made. */
const markerName = "outlast-run.json";

export interface Marker {
  readonly command: string;
  readonly seed: number;
  readonly startedAt: number;
  /** The process that is still writing here; null when the run is over. */
  readonly pid: number | null;
}

/** @throws UsageError if the folder holds anything that no earlier run has put there, or a run that still goes on */
export async function prepareFolder(directory: string, marker: Marker): Promise<void> {
  if (existsSync(directory)) {
    const names = readdirSync(directory);
    if (names.length > 0) {
      const older = names.includes(markerName) ? parseObject(readFileSync(join(directory, markerName), "utf8")) : null;
      if (older === null) {
        throw new UsageError(
          `${directory} contains files that no earlier run created.`,
          "Choose another directory with --dir.",
        );
      }
      if (typeof older["pid"] === "number" && isAlive(older["pid"])) {
        throw new UsageError(
          `Another run is writing to ${directory} (process ${older["pid"]}).`,
          "Choose another directory with --dir.",
        );
      }
      for (const name of names) rmSync(join(directory, name), { recursive: true });
    }
  }
  await makeDirectory(directory);
  writeMarker(directory, marker);
}

export function writeMarker(directory: string, marker: Marker): void {
  writeFileSync(join(directory, markerName), `${JSON.stringify(marker)}\n`);
}

/** Whether there is such a process; a zombie counts, and so does somebody else's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** `tasks.txt`: one JSON document per line, in the order of the tasks' names. */
export function taskLines(documents: readonly TaskDocument[]): string {
  const inOrder = documents.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  return inOrder.map((task) => `${JSON.stringify(taskLine(task))}\n`).join("");
}

function taskLine(task: TaskDocument): { [key: string]: string | number | null } {
  const input = task.input as { seconds?: number };
  return {
    taskname: task.name,
    sleeptime: input.seconds ?? null,
    state: task.state,
    host: task.host ?? null,
    attempt: task.attempt,
    kills: task.kills,
    createdAt: task.createdAt,
    startedAt: task.startedAt ?? null,
    endedAt: task.endedAt ?? null,
  };
}

/** All logs as one, by time, for people. A line without a time stays behind the line before it. */
export function combineLogs(logs: readonly { readonly process: string; readonly text: string }[]): string {
  const lines = logs.flatMap(({ process, text }) => {
    let at = 0;
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const record = parseObject(line);
        if (typeof record?.["time"] === "number") at = record["time"];
        const shown = record === null ? `${line}\n` : prettyLine(JSON.stringify({ ...record, process }), false);
        return { at, shown: record === null ? `             ${process} ${shown}` : shown };
      });
  });
  return lines
    .sort((a, b) => a.at - b.at)
    .map((line) => line.shown)
    .join("");
}
