/** Commands as people run them, in a folder that goes with the tests of a file. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";

const program = join(import.meta.dirname, "../../bin/outlast.js");
/** Where all of them are started. */
export const folder = mkdtempSync(join(tmpdir(), "outlast-cli-"));
const running = new Set<ChildProcess>();

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that may still run: its lines can be awaited as they come. */
export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #output = { stdout: "", stderr: "" };

  /**
   * @param options.redirect appended to the command by a shell, such as `2>/dev/full`
   * @param options.node the Node that runs it
   * @param options.before a program that starts it, with its arguments
   */
  constructor(
    commandLine: readonly string[],
    options: {
      env?: NodeJS.ProcessEnv;
      input?: string;
      redirect?: string;
      node?: string;
      before?: readonly string[];
    } = {},
  ) {
    const { node = process.execPath, before = [] } = options;
    const argv = [...before, node, program, ...commandLine];
    const [command = "", ...args] =
      options.redirect === undefined ? argv : ["sh", "-c", `exec "$@" ${options.redirect}`, "sh", ...argv];
    this.child = spawn(command, args, {
      env: { ...cleanEnvironment(), ...options.env },
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    running.add(this.child);
    if (options.input !== undefined) this.child.stdin!.end(options.input);
    for (const name of ["stdout", "stderr"] as const) {
      this.child[name]!.on("data", (piece: Buffer) => (this.#output[name] += piece.toString()));
      createInterface({ input: this.child[name]! }).on("line", (line) => {
        this.#lines.push(line);
        for (const wake of this.#waiting) wake();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code) => {
        running.delete(this.child);
        for (const wake of this.#waiting) wake();
        resolve({ code, ...this.#output });
      });
    });
  }

  /** The first line that matches; fails if the command ends without one. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.#lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (!running.has(this.child)) throw new Error(`It ended without ${String(pattern)}:\n${this.#lines.join("\n")}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(OUTLAST_|FORCE_COLOR|NO_COLOR)/.test(name));
  return Object.fromEntries(kept);
}

export function start(...commandLine: string[]): Started {
  return new Started(commandLine);
}

afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});
