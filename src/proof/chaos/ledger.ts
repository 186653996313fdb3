/** The external ledger: what clients and tasks write down themselves, one file for each, apart from anything the masters say. */
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import type { TaskState } from "../../model/task.ts";
import { parseObject } from "../cluster/attemptLines.ts";

/** What a client asked for in one submission: the id it chose, if it chose one, and the whole content. */
export interface AskedShape {
  readonly id: string | null;
  readonly body: string;
}

/** A line of a client. A call ends as `ok`, as `fail` (surely not done), or as `info`: nobody knows. */
export type ClientLine = { readonly at: number; readonly session: string } & (
  | {
      readonly kind: "submit-invoke";
      readonly call: number;
      readonly key: string | null;
      readonly tasks: readonly AskedShape[];
    }
  | { readonly kind: "submit-ok"; readonly call: number; readonly ids: readonly string[] }
  | { readonly kind: "submit-fail"; readonly call: number; readonly code: string }
  | { readonly kind: "submit-info"; readonly call: number; readonly code: string }
  | { readonly kind: "cancel-ok"; readonly task: string }
  | { readonly kind: "cancel-fail"; readonly task: string; readonly code: string }
  | { readonly kind: "cancel-info"; readonly task: string; readonly code: string }
  | { readonly kind: "read"; readonly task: string; readonly state: TaskState; readonly attempt: number }
  /** A task that this very client had been acknowledged; `not-found` is a finding, that nobody answers is none. */
  | { readonly kind: "read-fail"; readonly task: string; readonly code: string }
);

/** A line that the process of a task wrote: that it began, and that it came to its end. */
export interface ExecLine {
  readonly kind: "exec-start" | "exec-end";
  readonly at: number;
  readonly task: string;
  readonly attempt: number;
  readonly worker: string;
  readonly boot: string;
  readonly pid: number;
}

type Unstamped<Line> = Line extends unknown ? Omit<Line, "at" | "session"> : never;

/** One client's file. Each line is with the operating system when `write` returns: before a call leaves, and before its answer counts. */
export class ClientLedger {
  readonly #file: number;
  readonly #session: string;

  constructor(path: string, session: string) {
    this.#file = openSync(path, "a");
    this.#session = session;
  }

  write(line: Unstamped<ClientLine>): void {
    writeSync(this.#file, `${JSON.stringify({ at: Date.now(), session: this.#session, ...line })}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

export function readClientLedger(path: string): ClientLine[] {
  return linesOf(path) as unknown as ClientLine[];
}

/** In the order of the file, which is the order in which the lines were written, whoever wrote them. */
export function readTaskLedger(path: string): ExecLine[] {
  return linesOf(path).flatMap((line) => toExecLine(line) ?? []);
}

export function toExecLine(line: { readonly [key: string]: unknown }): ExecLine | null {
  const { kind, at, task, attempt, worker, boot, pid } = line;
  if (kind !== "exec-start" && kind !== "exec-end") return null;
  if (typeof task !== "string" || typeof worker !== "string" || typeof boot !== "string") return null;
  return { kind, at: Number(at), task, attempt: Number(attempt), worker, boot, pid: Number(pid) };
}

/** Makes the file of the tasks, so that whoever looks finds one. */
export function makeTaskLedger(path: string): void {
  appendFileSync(path, "");
}

/** A line that does not end was never written: its writer died over it. */
function linesOf(path: string): { [key: string]: unknown }[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map(parseObject)
    .filter((record) => record !== null);
}
