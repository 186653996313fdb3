/** Finds processes by their process group and by marks in their environment, using `/proc`, and kills them. */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { limits } from "../model/limits.ts";
import type { Sweep } from "../ports/processes.ts";

/** How many processes are checked before other work gets a turn: about one millisecond. */
const lookedAtPerTurn = 40;
/** Wait after a kill before the next look: a killed process needs a moment to exit. */
const lookAgainMs = 5;
/** A process may fork and exit during one look; its child is then found by the next look only. */
const emptyLooksMin = 2;

interface Search {
  readonly marks: readonly string[];
  readonly group: number | null;
  readonly deadlineAt: number;
  readonly killed: Set<number>;
  emptyLooks: number;
  readonly resolve: (sweep: Sweep) => void;
  readonly reject: (reason: unknown) => void;
}

/** Sweeps share their scans of `/proc`: one scan serves every sweep that was requested before it began. */
export class ProcessSweeper {
  #searches: Search[] = [];
  #isLooking = false;
  readonly #buffer = Buffer.allocUnsafe(64 * 1024);

  killAll(marks: readonly string[], group: number | null): Promise<Sweep> {
    return new Promise((resolve, reject) => {
      const deadlineAt = performance.now() + limits.processSweepMsMax;
      this.#searches.push({ marks, group, deadlineAt, killed: new Set(), emptyLooks: 0, resolve, reject });
      if (!this.#isLooking) void this.#lookUntilDone();
    });
  }

  async #lookUntilDone(): Promise<void> {
    this.#isLooking = true;
    // Requests of the same turn share one scan.
    await nextTurn();
    while (this.#searches.length > 0) {
      const searches = this.#searches;
      this.#searches = [];
      try {
        const found = await this.#find(searches);
        const unfinished = searches.filter((search, index) => !settle(search, found[index] ?? []));
        this.#searches.push(...unfinished);
        if (unfinished.some((search) => search.emptyLooks === 0)) await pause(lookAgainMs);
      } catch (error) {
        for (const search of searches) search.reject(error);
      }
    }
    this.#isLooking = false;
  }

  /** For each search the living processes that match it, except this process. */
  async #find(searches: readonly Search[]): Promise<number[][]> {
    const found: number[][] = searches.map(() => []);
    const firstMarks = new Set(searches.map((search) => search.marks[0] ?? ""));
    const hasGroups = searches.some((search) => search.group !== null);
    let count = 0;
    for (const pid of processIds()) {
      count += 1;
      if (count % lookedAtPerTurn === 0) await nextTurn();
      if (pid === process.pid) continue;
      const marks = this.#marksOf(pid, firstMarks);
      const group = hasGroups ? this.#groupOf(pid) : null;
      if (marks === null && group === null) continue;
      for (const [index, search] of searches.entries()) {
        const isMarked = marks !== null && search.marks.every((mark) => marks.has(mark));
        if (isMarked || (group !== null && group === search.group)) found[index]?.push(pid);
      }
    }
    return found;
  }

  /** Its environment; null if it contains none of `firstMarks`, which a search of the bytes shows cheaply. */
  #marksOf(pid: number, firstMarks: ReadonlySet<string>): ReadonlySet<string> | null {
    // A zombie has no environment.
    const environment = this.#read(`/proc/${pid}/environ`);
    if (environment === null) return null;
    for (const mark of firstMarks) {
      if (environment.includes(mark)) return new Set(environment.toString("utf8").split("\0"));
    }
    return null;
  }

  /** Its process group; null for a zombie. */
  #groupOf(pid: number): number | null {
    // `pid (any name, even with parentheses) state parent group …`, proc_pid_stat(5).
    const stat = this.#read(`/proc/${pid}/stat`)?.toString("latin1") ?? "";
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
    return state === "Z" || state === "X" || group === undefined ? null : Number(group);
  }

  /** Null if the process is gone or belongs to another user. The answer is valid until the next call. */
  #read(path: string): Buffer | null {
    let file: number;
    try {
      file = openSync(path, "r");
    } catch {
      return null;
    }
    try {
      const bytes = readSync(file, this.#buffer);
      return bytes < this.#buffer.length ? this.#buffer.subarray(0, bytes) : readRest(file, this.#buffer);
    } catch {
      return null;
    } finally {
      closeSync(file);
    }
  }
}

/** Kills what was found; true if the search is over. */
function settle(search: Search, found: readonly number[]): boolean {
  for (const pid of found) {
    search.killed.add(pid);
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone, or belongs to another user; the next look shows which.
    }
  }
  search.emptyLooks = found.length === 0 ? search.emptyLooks + 1 : 0;
  if (search.emptyLooks < emptyLooksMin && performance.now() < search.deadlineAt) return false;
  search.resolve({ killed: search.killed.size, left: found });
  return true;
}

function readRest(file: number, start: Buffer): Buffer {
  const pieces = [Buffer.from(start)];
  let bytes = start.length;
  while (bytes < limits.processEnvironmentBytesMax) {
    const piece = Buffer.allocUnsafe(start.length);
    const count = readSync(file, piece);
    if (count === 0) break;
    pieces.push(piece.subarray(0, count));
    bytes += count;
  }
  return Buffer.concat(pieces);
}

/** Empty where there is no `/proc`. */
function processIds(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
