/** Finds processes by what stands in their environment, as the kernel shows it in `/proc`, and kills them. */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { limits } from "../model/limits.ts";
import type { Sweep } from "../ports/processes.ts";

/** How many processes are looked at before other work gets its turn: about half a millisecond's worth. */
const lookedAtPerTurn = 40;
/** From a kill to the next look: a killed process needs a moment to go. */
const lookAgainMs = 5;
/** A process may fork and go while one look is at it, and its child stands in the list of the next look only. */
const emptyLooksMin = 2;

interface Search {
  readonly marks: readonly string[];
  readonly deadlineAt: number;
  readonly killed: Set<number>;
  emptyLooks: number;
  readonly resolve: (sweep: Sweep) => void;
}

/** Sweeps share their looks at `/proc`: a look serves every sweep that was asked for before it began. */
export class MarkSweeper {
  #searches: Search[] = [];
  #isLooking = false;
  readonly #buffer = Buffer.allocUnsafe(64 * 1024);

  killMarked(marks: readonly string[]): Promise<Sweep> {
    return new Promise((resolve, reject) => {
      const deadlineAt = performance.now() + limits.processSweepMsMax;
      this.#searches.push({ marks, deadlineAt, killed: new Set(), emptyLooks: 0, resolve });
      if (!this.#isLooking) this.#look().catch(reject);
    });
  }

  /** Living processes that carry all of `marks`, this one never among them. */
  async find(marks: readonly string[]): Promise<number[]> {
    const [found = []] = await this.#findAll([marks]);
    return found;
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      // Those who ask in the same turn are served by the same look.
      await nextTurn();
      while (this.#searches.length > 0) {
        const searches = this.#searches;
        this.#searches = [];
        const found = await this.#findAll(searches.map((search) => search.marks));
        const unfinished = searches.filter((search, index) => !settle(search, found[index] ?? []));
        this.#searches.push(...unfinished);
        if (unfinished.some((search) => search.emptyLooks === 0)) await pause(lookAgainMs);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  /** For each of `wanted` the processes that carry it. */
  async #findAll(wanted: readonly (readonly string[])[]): Promise<number[][]> {
    const found: number[][] = wanted.map(() => []);
    const firstMarks = [...new Set(wanted.map((marks) => marks[0] ?? ""))];
    let count = 0;
    for (const pid of processIds()) {
      if (++count % lookedAtPerTurn === 0) await nextTurn();
      if (pid === process.pid) continue;
      const environment = this.#environment(pid);
      // Most processes carry no mark of ours: tell them by one search, without taking their environment apart.
      if (environment === null || !firstMarks.some((mark) => environment.includes(mark))) continue;
      const entries = new Set(environment.toString("utf8").split("\0"));
      for (const [index, marks] of wanted.entries()) {
        if (marks.every((mark) => entries.has(mark))) found[index]?.push(pid);
      }
    }
    return found;
  }

  /** What the process was started with; null if it is gone, a zombie, or not ours to look at. */
  #environment(pid: number): Buffer | null {
    let file: number;
    try {
      file = openSync(`/proc/${pid}/environ`, "r");
    } catch {
      return null;
    }
    try {
      const first = readSync(file, this.#buffer);
      if (first < this.#buffer.length) return first === 0 ? null : this.#buffer.subarray(0, first);
      return readRest(file, this.#buffer);
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
      // It is gone, or not ours to kill; the next look tells.
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
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
  } catch {
    return [];
  }
}
