/** What Linux tells of a process: the memory it holds and the CPU time it has used. See proc(5). */
import { readFileSync } from "node:fs";

/** Clock ticks a second in /proc: the same on every Linux that people run. */
const ticksPerSecond = 100;

export function residentMiB(pid: number | null): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** In user and kernel mode together. */
export function cpuMs(pid: number | null): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The program's name, the second field, may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000;
}

/** The same for a process and all that it has started and that still runs. */
export function familyCpuMs(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  return children.reduce((sum, child) => sum + familyCpuMs(Number(child)), cpuMs(pid));
}
