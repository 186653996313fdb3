/** Which commands run at this moment, by what they wrote into the ledger themselves; and how to kill one behind its worker's back. */
import { readFileSync } from "node:fs";
import { parseObject } from "../cluster/attemptLines.ts";
import { type ExecLine, toExecLine } from "./ledger.ts";
import { Tail } from "./tail.ts";
import { markVariable } from "./tasks.ts";

export class TaskProcesses {
  readonly #tail: Tail;
  readonly #mark: string;
  /** By `<task>/<attempt>`. */
  readonly #running = new Map<string, ExecLine>();

  constructor(ledgerPath: string, mark: string) {
    this.#tail = new Tail(ledgerPath);
    this.#mark = mark;
  }

  /** One attempt, `<task>/<attempt>`, on this worker, or on another if it runs none; empty if there is none at all. */
  some(worker: string, draw: number): string[] {
    this.#read();
    const alive = [...this.#running.values()].filter((line) => this.#isAlive(line));
    const own = alive.filter((line) => line.worker === worker);
    const there = own.length > 0 ? own : alive;
    const chosen = there[draw % Math.max(1, there.length)];
    return chosen === undefined ? [] : [keyOf(chosen)];
  }

  kill(attempt: string): void {
    const line = this.#running.get(attempt);
    if (line === undefined || !this.#isAlive(line)) return;
    try {
      process.kill(line.pid, "SIGKILL");
    } catch {
      // It ended in this very moment.
    }
  }

  #read(): void {
    for (const text of this.#tail.lines()) {
      const record = parseObject(text);
      const line = record === null ? null : toExecLine(record);
      if (line?.kind === "exec-start") this.#running.set(keyOf(line), line);
      else if (line?.kind === "exec-end") this.#running.delete(keyOf(line));
    }
  }

  /** Its number may be another process's by now: only the mark tells that it is ours. */
  #isAlive(line: ExecLine): boolean {
    try {
      const environment = readFileSync(`/proc/${line.pid}/environ`, "utf8").split("\0");
      if (environment.includes(`${markVariable}=${this.#mark}`) && environment.includes(`OUTLAST_TASK=${line.task}`))
        return true;
    } catch {
      // It is gone.
    }
    this.#running.delete(keyOf(line));
    return false;
  }
}

function keyOf({ task, attempt }: ExecLine): string {
  return `${task}/${attempt}`;
}
