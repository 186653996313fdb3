/** Finds the process that holds the write lock of an SQLite store on this machine, in Linux's list of file locks. */
import { readFile, stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { limits } from "../model/limits.ts";

/** In WAL mode, SQLite locks this byte of the `-shm` file for as long as a write lasts (https://sqlite.org/walformat.html, 2.3.1). */
const writeLockByte = 120;

export interface LockHolder {
  readonly pid: number;
  /** The name of the master that it is, or the beginning of its command line. */
  readonly name: string;
  readonly isMaster: boolean;
  /** Stopped by a signal or a debugger: it keeps the lock until it goes on or dies. */
  readonly isStopped: boolean;
}

/** A process that keeps the lock for longer than a write takes; null if there is none, or if this system does not tell. */
export async function findLockHolder(storePath: string): Promise<LockHolder | null> {
  const first = await holderOf(storePath);
  if (first === null || first.isStopped) return first;
  // Every commit takes the lock for a moment; that is no trouble.
  await setTimeout(limits.lockLookAgainMs);
  const second = await holderOf(storePath);
  return second?.pid === first.pid ? second : null;
}

/** What holds the lock, in a sentence, and what to do about it. */
export function describeHolder(storePath: string, { pid, name, isMaster, isStopped }: LockHolder): [string, string] {
  const who = `${name} (process ${pid})`;
  if (isMaster && !isStopped) {
    return [
      `${who} was writing to ${storePath} each time this looked, so others hardly get to write.`,
      "It does its work. If this goes on, the disk is slow: see what else uses it.",
    ];
  }
  const stopped = isStopped ? " and is stopped" : "";
  const goOn = isStopped
    ? `Let it go on with \`kill -CONT ${pid}\`, or end it`
    : "Wait until it has finished, or end it";
  return [
    `${who} holds the lock of ${storePath}${stopped}, so no master can write to it.`,
    `${goOn} with \`kill -KILL ${pid}\`. Nothing is lost.`,
  ];
}

/** The path of the SQLite file in what a master says about its store; null for another kind of store. */
export function lockedPath(store: string | null): string | null {
  return /^sqlite (\/.+)$/.exec(store ?? "")?.[1] ?? null;
}

async function holderOf(storePath: string): Promise<LockHolder | null> {
  try {
    const { ino } = await stat(`${storePath}-shm`);
    const locks = await readFile("/proc/locks", "utf8");
    const pid = lockOwner(locks, ino);
    if (pid === null || pid === process.pid) return null;
    const [state, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
    ]);
    const isStopped = /^[Tt]/.test(state.slice(state.lastIndexOf(")") + 2));
    return { pid, ...programOf(command.split("\0")), isStopped };
  } catch {
    // No Linux, no store there, or the process is gone by now.
    return null;
  }
}

/** Lines look like `1: POSIX  ADVISORY  WRITE 15600 fe:00:9978569 120 120`; those that wait for a lock have an arrow. */
function lockOwner(locks: string, inode: number): number | null {
  const pattern = new RegExp(`^\\d+: POSIX +ADVISORY +WRITE (\\d+) [\\da-f]+:[\\da-f]+:${inode} (\\d+) (\\d+)$`, "gm");
  for (const [, pid, from, to] of locks.matchAll(pattern))
    if (Number(from) <= writeLockByte && Number(to) >= writeLockByte) return Number(pid);
  return null;
}

function programOf(command: readonly string[]): Pick<LockHolder, "name" | "isMaster"> {
  const name = command[command.indexOf("--name") + 1];
  const isMaster = command.includes("master");
  if (isMaster && command.includes("--name") && name !== undefined) return { name: `Master ${name}`, isMaster };
  return { name: `\`${command.join(" ").trim().slice(0, limits.idLengthMax)}\``, isMaster };
}
