/** One child process of `outlast up`: starts it, reads its lines, restarts it when it dies, and stops it at the end. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { defaults } from "../../model/limits.ts";
import { handOver } from "./handOver.ts";

export interface SupervisedOptions {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** A line that the child wrote. */
  readonly onLine: (stream: "stdout" | "stderr", line: string) => void;
  readonly onReady: (readyLine: string) => void;
  /** False to leave a dead child stopped. */
  readonly isRestarted: (exit: ProcessExit) => boolean;
  /** Called at each exit, before the next start. `restartMs` is null if it will not be started again. */
  readonly onExit: (exit: ProcessExit, restartMs: number | null) => void;
}

export interface ProcessExit {
  readonly pid: number | null;
  /** `exit code 1`, `SIGKILL`, or why it could not be started. */
  readonly how: string;
  /** Null after a signal, and where it could not be started. */
  readonly code: number | null;
  /** Its ready line; null if it was never ready. */
  readonly readyLine: string | null;
}

interface Life {
  readonly child: ChildProcess;
  readonly startedAt: number;
  readonly ended: Promise<void>;
  readyLine: string | null;
}

const program = fileURLToPath(new URL("../../../bin/outlast.js", import.meta.url));
export class Supervised {
  readonly #options: SupervisedOptions;
  #life: Life | null = null;
  #restartTimer: NodeJS.Timeout | null = null;
  #deathsInARow = 0;
  #isStopping = false;

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get isAlive(): boolean {
    return this.#life !== null;
  }

  start(): void {
    this.#restartTimer = null;
    // Tasks may run as the same user, and could read the environment of a child while it starts.
    const { env, text } = handOver(this.#options.env, 3);
    const child = spawn(process.execPath, [program, ...this.#options.arguments], {
      // Its own process group: Ctrl-C in the terminal is for `up` alone, which then ends its children in good order.
      detached: true,
      // The child reads stdin and stops when it closes, which it does however `up` ends.
      stdio: ["pipe", "pipe", "pipe", ...(text === null ? [] : (["pipe"] as const))],
      env,
    });
    if (text !== null) (child.stdio[3] as Writable).on("error", () => {}).end(text);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const life: Life = { child, startedAt: performance.now(), ended, readyLine: null };
    this.#life = life;
    let how: string | null = null;
    child.once("error", (error) => {
      how = error.message;
      // No exit event follows for a child that could not be started.
      if (child.pid === undefined) this.#onEnd(life, how, null, resolve);
    });
    child.once("exit", (code, signal) => this.#onEnd(life, signal ?? how ?? `exit code ${code}`, code, resolve));
    child.stdin?.on("error", () => {});
    this.#read(life, "stdout");
    this.#read(life, "stderr");
  }

  /** SIGTERM; SIGKILL after `graceMs`. Resolves when it is gone. It is not started again. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    const life = this.#life;
    if (life === null) return;
    life.child.kill("SIGTERM");
    const timer = setTimeout(() => life.child.kill("SIGKILL"), graceMs);
    await life.ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.#isStopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    this.#life?.child.kill("SIGKILL");
  }

  #read(life: Life, stream: "stdout" | "stderr"): void {
    const input = life.child[stream];
    if (input === null) return;
    createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
      if (stream === "stdout" && life.readyLine === null && /^outlast (master|worker)\b.*\bready\b/.test(line)) {
        life.readyLine = line;
        this.#options.onReady(line);
      } else this.#options.onLine(stream, line);
    });
  }

  #onEnd(life: Life, how: string, code: number | null, resolve: () => void): void {
    if (this.#life !== life) return;
    this.#life = null;
    const livedMs = performance.now() - life.startedAt;
    this.#deathsInARow = livedMs >= defaults.restartCalmMs ? 1 : this.#deathsInARow + 1;
    const { readyLine } = life;
    const exit = { pid: life.child.pid ?? null, how, code, readyLine };
    const restartMs =
      this.#isStopping || !this.#options.isRestarted(exit)
        ? null
        : Math.min(defaults.restartBackoffMaxMs, defaults.restartBackoffBaseMs * 2 ** (this.#deathsInARow - 1));
    if (restartMs !== null) this.#restartTimer = setTimeout(() => this.start(), restartMs);
    this.#options.onExit(exit, restartMs);
    resolve();
  }
}
