/** The small ports of a simulated process: names drawn from the seed, and a log that goes into the trace. */
import type { TaskId } from "../../model/ids.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log, LogFields } from "../../ports/log.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export class SimulatedIds implements Ids {
  readonly #random: Random;
  readonly #given = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Short, to be read in traces; no two alike from one process, as in life. */
  task(now: number): TaskId {
    let id: string;
    do {
      id = `t${now.toString(36)}-${this.#random.name(4)}`;
    } while (this.#given.has(id));
    this.#given.add(id);
    return id as TaskId;
  }

  random(): string {
    return this.#random.name(8);
  }
}

export function nodeLog(timeline: Timeline, name: string): Log {
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      timeline.trace(`${name} ${level}: ${message} ${describe(fields)}`);
  return { debug: () => {}, info: write("says"), warn: write("warns"), error: write("alarms") };
}

/** Why a process left by itself; null if it was asked to. */
export function describeEnd(error: unknown): string | null {
  if (error === null || error === undefined) return null;
  return error instanceof Error ? error.message : "something that is no error";
}

function describe(fields: LogFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? value.message : JSON.stringify(value)}`)
    .join(" ");
}
