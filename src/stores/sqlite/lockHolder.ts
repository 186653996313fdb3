/** Finds out which process holds the write lock of an SQLite file, from the kernel's list of locks in `/proc`. */
import { readFileSync, statSync } from "node:fs";

const commandLengthMax = 200;

/**
 * The holder in a few words: `process 4711 (stopped): node … master --name m1`. Null if nobody else holds it any more, or the
 * machine does not tell.
 * @see https://sqlite.org/wal.html for the `-shm` file, proc_locks(5) for the format
 */
export function describeLockHolder(path: string): string | null {
  try {
    const inodes = new Set([path, `${path}-shm`].flatMap(inodeOf));
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const [, , , access, pid = "", file = ""] = line.trim().split(/\s+/);
      if (access !== "WRITE" || pid === String(process.pid) || !inodes.has(file.split(":")[2] ?? "")) continue;
      return describeProcess(pid);
    }
  } catch {
    // No /proc here.
  }
  return null;
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
