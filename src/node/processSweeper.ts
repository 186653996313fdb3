/** Finds processes by their process group and by marks in their environment, using `/proc`, and kills them. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { limits } from "../model/limits.ts";
import type { Sweep } from "../ports/processes.ts";

/** How many processes are checked before other work gets a turn: about one millisecond. */
const lookedAtPerTurn = 40;
/** Wait after a kill before the next look: a killed process needs a moment to exit. */
const lookAgainMs = 5;
/** The same where the machine could not be looked at. */
const lookAgainInTroubleMs = 100;
/** A process may fork and exit during one look; its child is then found by the next look only. */
const emptyLooksMin = 2;

/** What one look at the machine brought. */
interface Look {
  /** For each search the living processes that it is after. */
  readonly found: readonly number[][];
  /** False if something could not be read that may have been one of them. */
  readonly isComplete: boolean;
}

/** What to look for; see `Processes.killAll`. */
export interface SweepRequest {
  readonly marks: readonly string[];
  readonly group: number | null;
  readonly since: number | null;
}

interface Search extends SweepRequest {
  readonly deadlineAt: number;
  readonly killed: Set<number>;
  emptyLooks: number;
  readonly resolve: (sweep: Sweep) => void;
  readonly reject: (reason: unknown) => void;
}

/** A process that was there at an instant, without any of the marks. */
interface Stranger {
  readonly seenAt: number;
  readonly identity: Identity;
}

/** What no two processes of one id have in common: `/proc` makes a file anew for each, with a number and a time of its own. */
interface Identity {
  readonly ino: number;
  readonly ctimeMs: number;
}

/** Now, in ms, on a clock that runs only forward, and that all threads of the process share. */
export function moment(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** Sweeps share their scans of `/proc`: one scan serves every sweep that was requested before it began. */
export class ProcessSweeper {
  readonly #root: string;
  /** By id. What was there before whatever a search is after is passed over; by the id alone that cannot be told. */
  readonly #strangers = new Map<number, Stranger>();
  #searches: Search[] = [];
  #isLooking = false;
  #isComplete = true;
  /** Kept open, so that a look is possible also when this process has no descriptor left. */
  #reserve: number | null = null;
  readonly #buffer = Buffer.allocUnsafe(64 * 1024);

  constructor(root = "/proc") {
    this.#root = root;
  }

  killAll(request: SweepRequest): Promise<Sweep> {
    return new Promise((resolve, reject) => {
      const deadlineAt = performance.now() + limits.processSweepMsMax;
      this.#searches.push({ ...request, deadlineAt, killed: new Set(), emptyLooks: 0, resolve, reject });
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
        const { found, isComplete } = await this.#find(searches);
        const unfinished = searches.filter((search, index) => !settle(search, found[index] ?? [], isComplete));
        this.#searches.push(...unfinished);
        if (!isComplete) await pause(lookAgainInTroubleMs);
        else if (unfinished.some((search) => search.emptyLooks === 0)) await pause(lookAgainMs);
      } catch (error) {
        for (const search of searches) search.reject(error);
      }
    }
    this.#isLooking = false;
  }

  /** For each search the living processes that match it, except this process. */
  async #find(searches: readonly Search[]): Promise<Look> {
    this.#isComplete = true;
    const found: number[][] = searches.map(() => []);
    const firstMarks = new Set(searches.map((search) => search.marks[0] ?? ""));
    const hasGroups = searches.some((search) => search.group !== null);
    const since = Math.min(...searches.map((search) => search.since ?? Number.NEGATIVE_INFINITY));
    let count = 0;
    const pids = this.#processIds();
    this.#forgetAllBut(pids);
    for (const pid of pids) {
      if (pid === process.pid) continue;
      const identity = this.#identify(pid);
      if (identity === "gone" || this.#isOlder(pid, identity, since)) continue;
      count += 1;
      if (count % lookedAtPerTurn === 0) await nextTurn();
      const marks = this.#marksOf(pid, identity, firstMarks);
      const group = hasGroups ? this.#groupOf(pid) : null;
      if (marks === null && group === null) continue;
      for (const [index, search] of searches.entries()) {
        const isMarked = marks !== null && search.marks.every((mark) => marks.has(mark));
        if (isMarked || (group !== null && group === search.group)) found[index]?.push(pid);
      }
    }
    return { found, isComplete: this.#isComplete };
  }

  /** A look at the file alone costs a tenth of reading what is in it. */
  #identify(pid: number): Identity | "gone" | null {
    try {
      return statSync(`${this.#root}/${pid}`, { throwIfNoEntry: false }) ?? "gone";
    } catch (error) {
      this.#note(error);
      return null;
    }
  }

  #isOlder(pid: number, identity: Identity | null, since: number): boolean {
    const known = this.#strangers.get(pid);
    return known !== undefined && known.seenAt < since && isSame(known.identity, identity);
  }

  #forgetAllBut(pids: readonly number[]): void {
    if (this.#strangers.size <= pids.length) return;
    const living = new Set(pids);
    for (const pid of this.#strangers.keys()) if (!living.has(pid)) this.#strangers.delete(pid);
  }

  /** Its environment; null if it contains none of `firstMarks`, which a search of the bytes shows cheaply. */
  #marksOf(pid: number, identity: Identity | null, firstMarks: ReadonlySet<string>): ReadonlySet<string> | null {
    const seenAt = moment();
    // A zombie has no environment.
    const environment = this.#read(`${this.#root}/${pid}/environ`);
    for (const mark of firstMarks) {
      if (environment?.includes(mark) !== true) continue;
      this.#strangers.delete(pid);
      return new Set(environment.toString("utf8").split("\0"));
    }
    if (identity !== null && !isSame(this.#strangers.get(pid)?.identity, identity))
      this.#strangers.set(pid, { seenAt, identity: { ino: identity.ino, ctimeMs: identity.ctimeMs } });
    return null;
  }

  /** Its process group; null for a zombie. */
  #groupOf(pid: number): number | null {
    // `pid (any name, even with parentheses) state parent group …`, proc_pid_stat(5).
    const stat = this.#read(`${this.#root}/${pid}/stat`)?.toString("latin1") ?? "";
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
    return state === "Z" || state === "X" || group === undefined ? null : Number(group);
  }

  /** Null if the process is gone or belongs to another user. The answer is valid until the next call. */
  #read(path: string): Buffer | null {
    const file = this.#open(path);
    if (file === null) return null;
    try {
      const bytes = readSync(file, this.#buffer);
      return bytes < this.#buffer.length ? this.#buffer.subarray(0, bytes) : readRest(file, this.#buffer);
    } catch (error) {
      this.#note(error);
      return null;
    } finally {
      closeSync(file);
    }
  }

  #open(path: string): number | null {
    try {
      return this.#withReserve(() => openSync(path, "r"));
    } catch (error) {
      this.#note(error);
      return null;
    }
  }

  /** Empty where there is no `/proc`. */
  #processIds(): number[] {
    try {
      return this.#withReserve(() => readdirSync(this.#root))
        .filter((name) => /^\d+$/.test(name))
        .map(Number);
    } catch (error) {
      this.#note(error);
      return [];
    }
  }

  /** Where this process has no descriptor left for a look, the one that is kept for that is given up for it. */
  #withReserve<Value>(look: () => Value): Value {
    this.#reserve ??= reserveDescriptor();
    try {
      return look();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (this.#reserve === null || (code !== "EMFILE" && code !== "ENFILE")) throw error;
      closeSync(this.#reserve);
      this.#reserve = null;
      return look();
    }
  }

  /** A process that went, or belongs to somebody else, is none of ours; anything else may hide one. */
  #note(error: unknown): void {
    const harmless = ["ENOENT", "ESRCH", "EACCES", "EPERM", "ENOTDIR"];
    if (!harmless.includes((error as NodeJS.ErrnoException).code ?? "")) this.#isComplete = false;
  }
}

function reserveDescriptor(): number | null {
  try {
    return openSync("/dev/null", "r");
  } catch {
    return null;
  }
}

function isSame(one: Identity | undefined, other: Identity | null): boolean {
  return one !== undefined && one.ino === other?.ino && one.ctimeMs === other.ctimeMs;
}

/** Kills what was found; true if the search is over. */
function settle(search: Search, found: readonly number[], isComplete: boolean): boolean {
  for (const pid of found) {
    search.killed.add(pid);
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone, or belongs to another user; the next look shows which.
    }
  }
  search.emptyLooks = found.length === 0 && isComplete ? search.emptyLooks + 1 : 0;
  if (search.emptyLooks < emptyLooksMin && performance.now() < search.deadlineAt) return false;
  search.resolve({ killed: search.killed.size, left: found, isComplete });
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
