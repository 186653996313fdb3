/** Starts processes in a session of their own, tied to this process by the kernel where that is possible. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, constants, realpath, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Json } from "../model/json.ts";
import {
  type ProcessCommand,
  type Processes,
  type ProcessHandlers,
  SpawnError,
  type StartedProcess,
  type Sweep,
} from "../ports/processes.ts";
import { OutputPipes } from "./outputPipes.ts";
import { ProcessSweeper } from "./processSweeper.ts";

export class SystemProcesses implements Processes {
  readonly #sweeper = new ProcessSweeper();
  #tie: Promise<readonly string[]> | null = null;

  async spawn(command: ProcessCommand, handlers: ProcessHandlers): Promise<StartedProcess> {
    await checkDirectory(command.cwd);
    // Looked up here, too: with setpriv, a missing program would look like one that exits with 127.
    await findProgram(command.argv[0] ?? "", command.env["PATH"] ?? "", command.cwd);
    this.#tie ??= findTie();
    const tie = command.isTied ? await this.#tie : [];
    const [program = "", ...args] = [...tie, ...command.argv];
    return new Promise((started, reject) => {
      let child: ChildProcess;
      try {
        child = spawn(program, args, {
          env: { ...command.env },
          cwd: command.cwd,
          detached: true,
          stdio: [
            command.hasInput ? "pipe" : "ignore",
            "pipe",
            "pipe",
            ...(command.hasChannel === true ? (["ipc"] as const) : []),
          ],
        });
      } catch (error) {
        return reject(toSpawnError(command, error));
      }
      const { pid } = child;
      if (pid === undefined) {
        child.once("error", (error) => reject(toSpawnError(command, error)));
        return;
      }
      // A failed signal or write means that the process is gone; its exit is reported.
      child.on("error", () => undefined);
      child.stdin?.on("error", () => undefined);
      const pipes = new OutputPipes([child.stdout, child.stderr].filter(isPipe), handlers);
      child.once("exit", (code, signal) => handlers.onExit({ code, signal }));
      child.on("message", (message) => handlers.onMessage?.(message as Json));
      started({
        pid,
        write: (text) => void child.stdin?.write(text),
        send: (message) => {
          if (child.connected) child.send(message as object, () => undefined);
        },
        drained: () => pipes.drained(),
        closeOutput: () => pipes.close(),
      });
    });
  }

  signalGroup(group: number, signal: "SIGTERM" | "SIGKILL" | null): boolean {
    // 0 and 1 would mean this process's own group, and everyone.
    if (!(group > 1)) throw new Error(`${group} is not a process group.`);
    try {
      return process.kill(-group, signal ?? 0);
    } catch (error) {
      // EPERM: it exists, but belongs to another user.
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  }

  killAll(marks: readonly string[], group: number | null): Promise<Sweep> {
    return this.#sweeper.killAll(marks, group);
  }
}

/**
 * A short name for a directory, by which processes that belong to it are marked: workers of equal name in different clusters
 * on one machine must not take each other's processes for their own.
 */
export async function directoryMark(directory: string): Promise<string> {
  return createHash("sha256")
    .update(await realpath(directory))
    .digest("hex")
    .slice(0, 16);
}

function isPipe(pipe: Readable | null): pipe is Readable {
  return pipe !== null;
}

/** @throws SpawnError */
async function checkDirectory(cwd: string): Promise<void> {
  const found = await stat(cwd).catch(() => null);
  if (found === null) throw new SpawnError(`The working directory ${quote(cwd)} does not exist on this worker.`);
  if (!found.isDirectory()) throw new SpawnError(`The working directory ${quote(cwd)} is not a directory.`);
}

/** The program's path, by the rules of execvp(3). @throws SpawnError */
async function findProgram(program: string, path: string, cwd: string): Promise<string> {
  const candidates = program.includes("/")
    ? [resolve(cwd, program)]
    : path.split(delimiter).map((directory) => join(resolve(cwd, directory), program));
  let refused: string | null = null;
  for (const candidate of candidates) {
    const found = await stat(candidate).catch(() => null);
    if (found === null) continue;
    const isExecutable =
      found.isFile() &&
      (await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      ));
    if (isExecutable) return candidate;
    refused ??= candidate;
  }
  if (refused !== null) throw new SpawnError(`${quote(refused)} is not executable for this worker.`);
  throw new SpawnError(`The program ${quote(program)} does not exist on this worker.`);
}

/**
 * What to put before a command so that the kernel kills it when its parent dies, prctl(2) PR_SET_PDEATHSIG; nothing where
 * the machine has no setpriv(1), or one that cannot do it.
 */
async function findTie(): Promise<readonly string[]> {
  const path = process.env["PATH"] ?? "";
  const program = await findProgram("setpriv", path, "/").catch(() => null);
  if (program === null) return [];
  const tie = [program, "--pdeathsig", "KILL", "--"];
  const isAble = await new Promise<boolean>((resolveAble) => {
    const child = spawn(program, [...tie.slice(1), "true"], { env: { PATH: path }, stdio: "ignore" });
    child.once("error", () => resolveAble(false));
    child.once("exit", (code) => resolveAble(code === 0));
  });
  return isAble ? tie : [];
}

function toSpawnError(command: ProcessCommand, error: unknown): SpawnError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const reasons: { readonly [code: string]: string } = {
    E2BIG: "its arguments and environment are too long for this machine",
    EACCES: "this worker may not execute it",
    EAGAIN: "this machine allows no more processes",
    EMFILE: "this worker has too many files open",
    ENFILE: "this machine has too many files open",
    ENOMEM: "this machine has no memory left for it",
  };
  return new SpawnError(`${quote(command.argv[0] ?? "")} could not be started: ${reasons[code] ?? code}.`, {
    cause: error,
  });
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
