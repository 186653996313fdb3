/** Looks for processes that should be gone: whatever carries the run's mark, or the boot of one of its workers. Linux only. */
import { readdirSync, readFileSync } from "node:fs";

export interface Orphan {
  readonly pid: number;
  readonly command: string;
  /** What gave it away: `CHAOS_RUN=…`, `OUTLAST_BOOT=…`. */
  readonly mark: string;
}

/** False where there is no `/proc`, so that nothing can be said. */
export function canSeeProcesses(): boolean {
  return process.platform === "linux";
}

/**
 * Living processes whose environment or command line holds one of the marks as a whole. A zombie has neither, and is dead.
 * @param isWanted says by its environment whether a marked process counts
 */
export function markedProcesses(
  marks: ReadonlySet<string>,
  isWanted: (environment: ReadonlySet<string>) => boolean = () => true,
): Orphan[] {
  if (!canSeeProcesses()) return [];
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    const words = read(`/proc/${name}/cmdline`).split("\0");
    const environment = new Set(read(`/proc/${name}/environ`).split("\0"));
    const mark = [...environment, ...words].find((text) => marks.has(text));
    if (mark === undefined || !isWanted(environment)) return [];
    return [{ pid: Number(name), command: words.join(" ").trim().slice(0, 200), mark }];
  });
}

/** Empty for a process that is gone or not ours to look at. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
