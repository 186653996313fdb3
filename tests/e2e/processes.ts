/** Looks for processes on this machine by their command line, whoever started them. */
import { readdirSync, readFileSync } from "node:fs";

/** Ids of the processes whose command line holds the text; a zombie has no command line. Linux only. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && commandLine(name).includes(text))
    .map(Number);
}

/** Ids of the processes that run exactly this command: not of a shell that has it in its script. Linux only. */
export function processesRunning(command: string): number[] {
  return processesWith(command).filter((pid) => commandLine(String(pid)).trimEnd() === command);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // It ended while we looked.
    return "";
  }
}
