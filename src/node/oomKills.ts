/** How many processes the kernel of this machine has killed because memory ran out, the machine's or that of a cgroup; see proc_vmstat(5). */
import { readFile } from "node:fs/promises";

/** Null where the machine does not tell. */
export async function countOomKills(): Promise<number | null> {
  const text = await readFile("/proc/vmstat", "latin1").catch(() => "");
  const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return count === undefined ? null : Number(count);
}
