/** Keeps a directory for one process at a time by a file that names the process; one that a dead process left does not count. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OutlastError } from "../model/errors.ts";

const workersHint = "Two workers cannot share one directory: give each its own name or its own data directory.";
const claimPattern = /^claim-(\d+)-(\d+)$/;
/** Directories that this very process has claimed: its own claim would pass for its own on a second look. */
const claimedHere = new Set<string>();

/**
 * Each process first puts down its own claim, then looks for others. Of two that come at once, the later one to look sees the
 * other's claim: both may give up, but never do both go on. A process is told by its id and the time it was started at,
 * since ids are given out again.
 * @param hint what to do if it is refused
 * @returns how to let go
 * @throws OutlastError `conflict` while another living process has the directory
 */
export async function claimDirectory(directory: string, hint = workersHint): Promise<() => Promise<void>> {
  const path = resolve(directory);
  if (claimedHere.has(path)) throw refused(directory, process.pid, hint);
  claimedHere.add(path);
  const own = `claim-${process.pid}-${(await startOf(process.pid)) ?? 0}`;
  const release = async (): Promise<void> => {
    await rm(join(path, own), { force: true });
    claimedHere.delete(path);
  };
  try {
    await writeFile(join(path, own), "", { mode: 0o600 });
    for (const name of await readdir(path)) {
      const [, pid, start] = claimPattern.exec(name) ?? [];
      if (pid === undefined || start === undefined || name === own) continue;
      if (await isAlive(Number(pid), Number(start))) throw refused(directory, Number(pid), hint);
      await rm(join(path, name), { force: true });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

function refused(directory: string, pid: number, hint: string): OutlastError {
  return new OutlastError("conflict", `Process ${pid} is using ${directory}.`, { hint });
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
