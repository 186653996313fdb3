/** What a MapReduce job must have kept while processes died: judged from its output folder, a plain count, and the task documents. */
import type { TaskDocument } from "../../model/task.ts";
import { type Check, result } from "./check.ts";
import { sortedLines } from "./plainWordCount.ts";

export interface JobEvidence {
  readonly corpus: string;
  /** The job and its children. */
  readonly documents: readonly TaskDocument[];
  readonly maps: number;
  readonly reduces: number;
  /** The files of the output folder, by name. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** What a plain program counts. */
  readonly expected: Buffer;
  readonly kills: readonly ProcessKill[];
}

export interface ProcessKill {
  readonly what: "leader" | "map worker" | "reduce worker";
  readonly process: string;
  readonly at: number;
  /** Finished maps and reduces by then. */
  readonly done: number;
  /** Until the next map or reduce of the job was committed; null if none came. */
  readonly nextMs: number | null;
}

export function checkJob(evidence: JobEvidence): Check[] {
  return [outputIsRight(evidence), onlyTheDeadRanAgain(evidence), onlyCommitted(evidence), wereKilled(evidence)];
}

function outputIsRight({ corpus, files, expected, reduces }: JobEvidence): Check {
  const problems: string[] = [];
  const parts = [...files].filter(([name]) => name.startsWith("part-"));
  if (parts.length !== reduces) problems.push(`${corpus}: there are ${parts.length} parts instead of ${reduces}.`);
  const lines: Buffer[] = [];
  for (const [name, bytes] of parts) {
    const own = linesOf(bytes);
    lines.push(...own);
    const isSorted = own.every((line, index) => index === 0 || Buffer.compare(keyOf(own[index - 1]), keyOf(line)) < 0);
    if (!isSorted) problems.push(`${corpus}: the keys of ${name} are not sorted.`);
  }
  const found = sortedLines(lines);
  if (!found.equals(expected)) problems.push(`${corpus}: the output differs from that of a plain count.`);
  const seen = `${lines.length} lines, ${found.length} bytes compared`;
  return result(
    "job-output",
    `${corpus}: the output is that of a plain count, byte by byte`,
    lines.length,
    seen,
    problems,
  );
}

/** With one slot per worker, each death costs one attempt at most; nothing fails, and nothing that had been committed runs again. */
function onlyTheDeadRanAgain({ corpus, documents, kills }: JobEvidence): Check {
  const tasks = documents.filter(({ backupOf }) => backupOf === undefined);
  const problems = tasks
    .filter(({ failures, state }) => failures > 0 || state !== "success")
    .map(({ name, state, failures }) => `${corpus}: ${name} is ${state}, with ${failures} failures.`);
  const workerKills = kills.filter(({ what }) => what !== "leader").length;
  const lost = tasks.reduce((sum, document) => sum + document.kills, 0);
  if (lost > workerKills) problems.push(`${corpus}: ${lost} attempts were lost to ${workerKills} deaths of workers.`);
  for (const { name, attempt, kills: own, family, uncounted = 0 } of tasks) {
    // The job itself suspends while its children run, and each time is an attempt.
    if (family?.children === undefined && attempt !== 1 + own + uncounted) {
      problems.push(`${corpus}: ${name} ran ${attempt} times, and ${own} of them were lost.`);
    }
  }
  const seen = `${lost} of ${tasks.length} tasks`;
  return result("job-reruns", `${corpus}: only what ran on a dead worker ran again`, workerKills, seen, problems);
}

/** Nothing is left of attempts that were not committed, and the manifest names what is there. */
function onlyCommitted({ corpus, documents, files, maps, reduces }: JobEvidence): Check {
  const problems: string[] = [];
  const committed = documents.filter(({ name }) => /^(map|reduce) \d+$/.test(name));
  if (committed.length !== maps + reduces) {
    problems.push(`${corpus}: ${committed.length} maps and reduces were committed instead of ${maps + reduces}.`);
  }
  const named = new Set(["_SUCCESS", "_manifest.json"]);
  const manifest = JSON.parse(files.get("_manifest.json")?.toString() ?? "{}") as {
    parts?: { name: string; size: number }[];
  };
  for (const { name, size } of manifest.parts ?? []) {
    named.add(name);
    if (files.get(name)?.length !== size) problems.push(`${corpus}: ${name} has not the size that the manifest says.`);
  }
  for (const name of files.keys())
    if (!named.has(name)) problems.push(`${corpus}: ${name} is left in the output folder.`);
  if (!files.has("_SUCCESS")) problems.push(`${corpus}: _SUCCESS is missing.`);
  const seen = `${committed.length} committed, ${files.size} files`;
  return result(
    "job-committed",
    `${corpus}: one attempt of each map and reduce counts, and no other left anything`,
    committed.length,
    seen,
    problems,
  );
}

function wereKilled({ corpus, kills, maps }: JobEvidence): Check {
  const problems: string[] = [];
  const of = (what: ProcessKill["what"]) => kills.find((kill) => kill.what === what);
  for (const what of ["leader", "map worker", "reduce worker"] as const) {
    const kill = of(what);
    if (kill === undefined) problems.push(`${corpus}: no ${what} was killed.`);
    else if ((what === "reduce worker") !== kill.done >= maps) {
      problems.push(`${corpus}: the ${what} was killed when ${kill.done} of ${maps} maps were done.`);
    }
  }
  const seen = kills.map(({ what, nextMs }) => `${what} +${((nextMs ?? 0) / 1000).toFixed(1)} s`).join(", ");
  return result(
    "job-kills",
    `${corpus}: leader and worker died among the maps, a worker among the reduces`,
    kills.length,
    seen,
    problems,
  );
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const feed = bytes.indexOf(10, at);
    const end = feed === -1 ? bytes.length : feed + 1;
    lines.push(bytes.subarray(at, end));
    at = end;
  }
  return lines;
}

function keyOf(line: Buffer | undefined): Buffer {
  return line === undefined ? Buffer.alloc(0) : line.subarray(0, line.indexOf(9));
}
