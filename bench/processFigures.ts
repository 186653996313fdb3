/** What Linux tells of a process: the memory it holds and the CPU time it has used. See proc(5). */
import { readFileSync } from "node:fs";

/** A clock tick in /proc, in ms: the same on every Linux that people run. */
export const clockTickMs = 10;

export function residentMiB(pid: number | null): number {
  return statusMiB(pid, "VmRSS");
}

/** The most that it has ever held. */
export function peakMiB(pid: number | null): number {
  return statusMiB(pid, "VmHWM");
}

function statusMiB(pid: number | null, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
}

/** Ids of the processes that it has started and that run. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

/** In user and kernel mode together. */
export function cpuMs(pid: number | null): number {
  const { own } = cpuTicks(pid);
  return own * clockTickMs;
}

/** The same for a process and all that it has started, those that have ended and that it has waited for included. */
export function familyCpuMs(pid: number): number {
  const { own, ended } = cpuTicks(pid);
  return childrenOf(pid).reduce((sum, child) => sum + familyCpuMs(child), (own + ended) * clockTickMs);
}

function cpuTicks(pid: number | null): { readonly own: number; readonly ended: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The program's name, the second field, may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = (index: number) => Number(fields[index]);
  return { own: ticks(11) + ticks(12), ended: ticks(13) + ticks(14) };
}
