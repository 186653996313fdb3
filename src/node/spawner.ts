/** Starts commands through a small process, where this machine can: see `spawnerProgram`. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { getSystemErrorName } from "node:util";
import { defaults } from "../model/limits.ts";
import type { ExitRecord } from "../model/task.ts";
import type { ProcessHandlers } from "../ports/processes.ts";
import { spawnerProgram } from "./spawnerProgram.ts";
import { isMachineFault } from "./spawnFailure.ts";

/** The number of prctl(2) for each machine; see syscalls(2). */
const prctl: { readonly [arch: string]: number } = { x64: 157, arm64: 167 };

export interface SpawnRequest {
  readonly argv: readonly string[];
  readonly env: { readonly [name: string]: string };
  readonly cwd: string;
  /** The file that it reads. */
  readonly input: string;
  /** Descriptors of this process: for its stdout, and its stderr. */
  readonly output: readonly number[];
}

type OnExit = ProcessHandlers["onExit"];

interface Waiting {
  readonly onExit: OnExit;
  readonly resolve: (pid: number) => void;
  readonly reject: (error: unknown) => void;
}

export class Spawner {
  readonly #child: ChildProcess;
  readonly #onDeath: () => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #living = new Map<number, OnExit>();
  #lastId = 0;
  /** False until it is ready, and once it is closed. */
  #isOpen = false;
  /** While it has something to do. */
  #nudges: NodeJS.Timeout | null = null;

  private constructor(child: ChildProcess, onDeath: () => void) {
    this.#child = child;
    this.#onDeath = onDeath;
  }

  /**
   * @param prefix what to put before the program; all that it starts inherits what that sets
   * @param onDeath it was killed: nobody knows how the commands that it had started would have ended, nor which of them had begun
   * @returns null where this machine cannot do it: no Linux, no perl(1), no right to open what this process has open. Rejects with what
   * the system says where it could not be tried
   */
  static open(prefix: readonly string[], onDeath: () => void): Promise<Spawner | null> {
    const call = prctl[process.arch];
    if (process.platform !== "linux" || call === undefined) return Promise.resolve(null);
    const args = ["-e", spawnerProgram, String(process.pid), String(call)];
    const env = { PATH: process.env["PATH"] ?? "" };
    return new Promise((resolve, reject) => {
      // In a session of its own: what a terminal sends to this process is not for the commands.
      const [program = "perl", ...more] = [...prefix, "perl", ...args];
      const child = spawn(program, more, { env, cwd: "/", detached: true, stdio: ["pipe", "pipe", "ignore"] });
      const spawner = new Spawner(child, onDeath);
      child.once("error", (error) => (isMachineFault(error) ? reject(error) : resolve(null)));
      child.once("exit", () => resolve(null));
      if (child.pid === undefined || child.stdout === null) return;
      child.stdin?.on("error", () => undefined);
      child.stdout.on("error", () => undefined);
      const lines = createInterface({ input: child.stdout });
      lines.on("line", (line) => {
        if (line === "ready") {
          spawner.#isOpen = true;
          resolve(spawner);
        } else spawner.#take(line);
        spawner.#hold();
      });
      lines.once("close", () => spawner.#end());
    });
  }

  /**
   * Starts a program in a session and process group of its own, tied to this process.
   * @returns its process id. Rejects with what the system says if it cannot be started
   */
  start({ argv, env, cwd, input, output }: SpawnRequest, onExit: OnExit): Promise<number> {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const files = output.map((descriptor) => `/proc/${process.pid}/fd/${descriptor}`);
    this.#lastId += 1;
    const id = this.#lastId;
    const fields = [String(id), cwd, input, ...files, String(argv.length), ...argv, ...variables];
    if (fields.some((field) => field.includes("\0"))) return Promise.reject(failure("ERR_INVALID_ARG_VALUE"));
    const body = Buffer.from(fields.map((field) => `${field}\0`).join(""));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { onExit, resolve, reject });
      this.#hold();
      this.#child.stdin?.write(Buffer.concat([length, body]));
    });
  }

  /** Ends it. What it has started and still lives is killed. */
  close(): void {
    this.#isOpen = false;
    this.#child.stdin?.end();
  }

  #take(line: string): void {
    const [kind, subject = "", result = "", group, others] = line.split(" ");
    const number = Number(subject);
    if (kind === "x") {
      const onExit = this.#living.get(number);
      this.#living.delete(number);
      // Whoever waits for its start hears of that first.
      setImmediate(() => onExit?.(exitOf(Number(result)), { hasGroup: group === "1", mayHaveMore: others !== "0" }));
    } else {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (kind === "s" && waiting !== undefined) {
        this.#living.set(Number(result), waiting.onExit);
        waiting.resolve(Number(result));
      } else waiting?.reject(failure(getSystemErrorName(-Number(result))));
    }
  }

  /** The kernel has killed what it had started, but not what that had started itself. */
  #end(): void {
    this.#stopNudges();
    if (this.#isOpen) this.#onDeath();
    this.#isOpen = false;
  }

  #stopNudges(): void {
    if (this.#nudges !== null) clearInterval(this.#nudges);
    this.#nudges = null;
  }

  /** This process lives on while something is to be told, and not for the sake of an idle spawner. */
  #hold(): void {
    const isBusy = this.#waiting.size > 0 || this.#living.size > 0;
    // A command may have stopped its parent.
    if (isBusy) this.#nudges ??= setInterval(() => this.#child.kill("SIGCONT"), defaults.spawnerNudgeMs).unref();
    else this.#stopNudges();
    const { stdin, stdout } = this.#child;
    for (const held of [this.#child, stdin as Socket | null, stdout as Socket | null]) {
      if (isBusy) held?.ref();
      else held?.unref();
    }
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** What wait(2) says. */
function exitOf(status: number): ExitRecord {
  const signal = status & 0x7f;
  if (signal === 0) return { code: status >> 8, signal: null };
  const [name = null] = Object.entries(constants.signals).find(([, number]) => number === signal) ?? [];
  return { code: null, signal: name };
}
