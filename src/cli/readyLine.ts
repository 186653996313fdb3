/** The one line that a master and a worker write to stdout, for the programs that start them. */
import type { BootId } from "../model/ids.ts";

export function masterReadyLine(url: string): string {
  return `outlast master ready at ${url}`;
}

export function workerReadyLine(name: string, boot: BootId): string {
  return `outlast worker ${name} ready (boot ${boot})`;
}

/** The boot in a worker's line, by which its death can be reported; null if there is none. */
export function bootIn(line: string): string | null {
  return /\(boot ([^\s)]+)\)/.exec(line)?.[1] ?? null;
}
