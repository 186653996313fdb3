/** How many processes the kernel of this machine has killed because memory ran out, the machine's or that of a cgroup; see proc_vmstat(5). */
import { readFileSync } from "node:fs";

/** Null where the machine does not tell. It is asked before each command: four turns of another thread would cost more than the file. */
export function countOomKills(): number | null {
  let text = "";
  try {
    text = readFileSync("/proc/vmstat", "latin1");
  } catch {
    return null;
  }
  const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return count === undefined ? null : Number(count);
}
