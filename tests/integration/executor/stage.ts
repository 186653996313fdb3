/** A real executor for tests: real processes, a directory of its own, and waiting for conditions with a deadline. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BootId, WorkerId } from "../../../src/model/ids.ts";
import type { Json } from "../../../src/model/json.ts";
import type { Assignment, AttemptEnd, AttemptRef } from "../../../src/model/protocol.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { SystemIds } from "../../../src/node/ids.ts";
import { directoryMark, SystemProcesses } from "../../../src/node/processes.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { AttemptSession } from "../../../src/ports/work.ts";
import { sessionThatEnds } from "../../../src/proof/fakes/sessions.ts";
import { type ExecutorOptions, ProcessExecutor } from "../../../src/worker/executors/executor.ts";

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const ids = new SystemIds();

export interface Stage {
  readonly executor: ProcessExecutor;
  readonly directory: string;
  readonly boot: BootId;
  /** Starts an attempt; `output` grows while it runs. */
  start(kind: string, input: Json, more?: Partial<Assignment>, session?: Partial<AttemptSession>): Running;
  exec(command: readonly string[], more?: { [key: string]: Json }): Running;
  close(): Promise<void>;
}

export interface Running {
  readonly ref: AttemptRef;
  readonly ended: Promise<AttemptEnd>;
  readonly chunks: Uint8Array[];
  text(): string;
}

export async function stage(options: Partial<ExecutorOptions> = {}): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), "outlast-executor-"));
  const boot = ids.random() as BootId;
  const outputs = new Map<string, Uint8Array[]>();
  const executor = new ProcessExecutor({
    worker: "worker-1" as WorkerId,
    boot,
    home: await directoryMark(directory),
    clock: new SystemClock(),
    log: silent,
    processes: new SystemProcesses(join(directory, "pipes")),
    environment: process.env,
    directory,
    onOutput: (attempt, bytes) => void outputs.get(attempt.task)?.push(bytes),
    ...options,
  });
  const start: Stage["start"] = (kind, input, more = {}, ownSession = {}) => {
    const ref: AttemptRef = { task: ids.task(1), attempt: 1 };
    const assignment: Assignment = { ...ref, assignedAt: 1, name: "test", kind, input, timeoutMs: null, ...more };
    const chunks: Uint8Array[] = [];
    outputs.set(ref.task, chunks);
    const ended = new Promise<AttemptEnd>((resolve) => {
      let hasEnded = false;
      const session = sessionThatEnds((end) => {
        if (hasEnded) throw new Error("onEnd was called twice");
        hasEnded = true;
        resolve(end);
      });
      executor.start(assignment, { ...session, ...ownSession });
    });
    return { ref, ended, chunks, text: () => Buffer.concat(chunks).toString() };
  };
  return {
    executor,
    directory,
    boot,
    start,
    exec: (command, more = {}) => start("exec", { command: [...command], ...more }),
    close: async () => {
      await executor.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Resolves once `condition` holds. @throws if that takes longer than `withinMs` */
export async function until(what: string, condition: () => boolean, withinMs = 15_000): Promise<void> {
  const deadlineAt = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadlineAt) throw new Error(`Waited ${withinMs} ms in vain for ${what}.`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** Living processes whose environment holds `mark`, found without the code under test. Zombies have no environment. */
export function marked(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).split("\0").includes(mark))
    .map(Number);
}

/** Living processes whose command line holds `text`. */
export function withCommand(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/cmdline`).includes(text))
    .map(Number);
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
