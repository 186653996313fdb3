/** Finds out which process holds the locks of an SQLite file, from the kernel's list of locks in `/proc`. */
import { readFileSync, statSync } from "node:fs";

const commandLengthMax = 200;

/**
 * The holder in a few words: `process 4711 (stopped): node … master --name m1`. Null if nobody else holds it any more, or the
 * machine does not tell.
 * @see https://sqlite.org/wal.html for the `-shm` file, proc_locks(5) for the format
 */
export function describeLockHolder(path: string): string | null {
  try {
    for (const { access, pid } of locksOn([path, `${path}-shm`])) {
      if (access === "WRITE" && pid !== String(process.pid)) return describeProcess(pid);
    }
  } catch {
    // No /proc here.
  }
  return null;
}

/** True if a process, this one included, has a lock on the file: SQLite keeps one on `-shm` as long as a database is open. */
export function isLocked(path: string): boolean {
  try {
    return locksOn([path]).length > 0;
  } catch {
    // No /proc here.
    return false;
  }
}

function locksOn(paths: readonly string[]): { access: string; pid: string }[] {
  const inodes = new Set(paths.flatMap(inodeOf));
  return readFileSync("/proc/locks", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, , , access = "", pid = "", file = ""] = line.trim().split(/\s+/);
      return inodes.has(file.split(":")[2] ?? "") ? [{ access, pid }] : [];
    });
}

function inodeOf(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? [] : [String(found.ino)];
}

function describeProcess(pid: string): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 1);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    const isStopped = state === "T" || state === "t";
    return `process ${pid}${isStopped ? " (stopped)" : ""}: ${command.slice(0, commandLengthMax)}`;
  } catch {
    return `process ${pid}`;
  }
}
