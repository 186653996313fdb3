/**
 * Keeps a directory for one process at a time. The kernel's lock on a file decides, since it also holds between containers that
 * see each other's processes under other numbers, or not at all; it goes with the process. A claim beside it, a file named after
 * the process, tells people and earlier versions who that is.
 */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { OutlastError } from "../model/errors.ts";

const workersHint = "Two workers cannot share one directory: give each its own name or its own data directory.";
const claimPattern = /^claim-(\d+)-(\d+)$/;
/** Directories that this very process has claimed: its own lock would not refuse it. */
const claimedHere = new Set<string>();

/**
 * Where the file system knows no locks, claims decide: each process first puts down its own, then looks for others. Of two that
 * come at once, the later one to look sees the other's claim: both may give up, but never do both go on. A process is told by its
 * id and the time it was started at, since ids are given out again.
 * @param hint what to do if it is refused
 * @returns how to let go
 * @throws OutlastError `conflict` while another living process has the directory
 */
export async function claimDirectory(directory: string, hint = workersHint): Promise<() => Promise<void>> {
  const path = resolve(directory);
  if (claimedHere.has(path)) throw refused(directory, `Process ${process.pid}`, hint);
  claimedHere.add(path);
  const own = `claim-${process.pid}-${(await startOf(process.pid)) ?? 0}`;
  let lock: FileLock | null = null;
  let isReleased = false;
  const release = async (): Promise<void> => {
    if (isReleased) return;
    isReleased = true;
    if (lock !== "held elsewhere") await rm(join(path, own), { force: true });
    if (lock instanceof DatabaseSync) lock.close();
    claimedHere.delete(path);
  };
  try {
    lock = takeLock(join(path, "lock"));
    if (lock === "held elsewhere") throw refused(directory, await describeHolder(path), hint);
    await writeFile(join(path, own), `${hostname()}\n`, { mode: 0o600 });
    for (const name of await readdir(path)) {
      const [, pid, start] = claimPattern.exec(name) ?? [];
      if (pid === undefined || start === undefined || name === own) continue;
      if (await isAlive(Number(pid), Number(start))) throw refused(directory, `Process ${pid}`, hint);
      await rm(join(path, name), { force: true });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

/** A database that holds the lock until it is closed, who cannot have it, or null where there are no locks. */
type FileLock = DatabaseSync | "held elsewhere" | null;

/** Node cannot lock files itself; SQLite can, and is built in. Nothing is ever written to this database. */
function takeLock(path: string): FileLock {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    const { errcode } = error as { errcode?: number };
    return errcode !== undefined && (errcode & 0xff) === sqliteBusy ? "held elsewhere" : null;
  }
}

/** https://sqlite.org/rescode.html: the low byte of an extended result code. */
const sqliteBusy = 5;

/** Who has left a claim; the process may be one that cannot be seen from here. */
async function describeHolder(path: string): Promise<string> {
  for (const name of await readdir(path).catch(() => [])) {
    const [, pid] = claimPattern.exec(name) ?? [];
    if (pid === undefined) continue;
    const host = (await readFile(join(path, name), "utf8").catch(() => "")).trim();
    return `Process ${pid}${host === "" || host === hostname() ? "" : ` on ${host}`}`;
  }
  return "Another process";
}

function refused(directory: string, holder: string, hint: string): OutlastError {
  return new OutlastError("conflict", `${holder} is using ${directory}.`, { hint });
}

async function isAlive(pid: number, start: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const startNow = await startOf(pid);
  // Where the system does not tell, the process counts as the one that left the claim.
  return startNow === null || start === 0 || startNow === start;
}

/** When a process was started, in clock ticks since the machine was; 0 for one that is dead but not yet buried; null if unknown. */
async function startOf(pid: number): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The program's name, the second field, may hold spaces and parentheses. See proc_pid_stat(5).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const isDead = fields[0] === "Z" || fields[0] === "X";
    return isDead ? 0 : Number(fields[19]);
  } catch {
    return null;
  }
}
