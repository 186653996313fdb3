/** Looks for processes on this machine by their command line, whoever started them. */
import { readdirSync, readFileSync } from "node:fs";

/** Ids of the processes whose command line holds the text; a zombie has no command line. Linux only. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && commandLine(name).includes(text))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // It ended while we looked.
    return "";
  }
}
