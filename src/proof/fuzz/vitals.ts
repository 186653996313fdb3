/** How a process is doing, read from outside (Linux): its memory, its open files, and how long its main thread had to wait for a processor. */
import { readdirSync, readFileSync } from "node:fs";

export interface Vitals {
  readonly residentBytes: number;
  readonly files: number;
  /** Time on a processor, of the main thread. */
  readonly busyMs: number;
  /** Time in which the main thread was ready to run, and others ran. */
  readonly queuedMs: number;
}

/** Null once the process is gone, or where there is no /proc. */
export function readVitals(pid: number): Vitals | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const schedule = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8");
    return { ...parseVitals(status, schedule), files: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return null;
  }
}

export function parseVitals(status: string, schedule: string): Omit<Vitals, "files"> {
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  const [busyNs = 0, queuedNs = 0] = schedule.trim().split(" ").map(Number);
  return { residentBytes: kibibytes * 1024, busyMs: busyNs / 1e6, queuedMs: queuedNs / 1e6 };
}

/** The value of a metric in Prometheus' text format, without labels unless they are part of the name; null if it is not there. */
export function metric(text: string, name: string): number | null {
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? null : Number(line.slice(name.length + 1));
}
