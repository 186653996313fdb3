/** Starts processes in a session of their own, tied to this process by the kernel where that is possible. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { access, constants, realpath, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { Json } from "../model/json.ts";
import { defaults, limits } from "../model/limits.ts";
import type { BoundMeans } from "../model/task.ts";
import {
  type ProcessCommand,
  type Processes,
  type ProcessHandlers,
  SpawnError,
  type StartedProcess,
  type Sweep,
} from "../ports/processes.ts";
import { BoundedLooks } from "./boundedLooks.ts";
import { type ControlGroup, ControlGroups, joining } from "./controlGroups.ts";
import { type FifoPipe, FifoPipes } from "./fifoPipes.ts";
import { countOomKills } from "./oomKills.ts";
import { OutputPipes } from "./outputPipes.ts";
import { moment } from "./processSweeper.ts";
import { codeOf, isMachineFault, quote, toSpawnError } from "./spawnFailure.ts";
import { becomeOptions, type TaskUser } from "./taskUser.ts";
import { ThreadedSweeper } from "./threadedSweeper.ts";

/** So many programs are remembered. */
const placesMax = 1000;

export class SystemProcesses implements Processes {
  readonly #sweeper = new ThreadedSweeper();
  readonly #looks = new BoundedLooks(limits.spawnLooksMax, defaults.spawnLookMs);
  readonly #pipes: FifoPipes;
  readonly #user: TaskUser | null;
  /** Null until they are looked for. */
  #groups: ControlGroups | null = null;
  /** Where each program was last; it is looked for there first. */
  readonly #places = new Map<string, string>();
  /** What stands before each tied command. */
  #prefixes: Promise<readonly string[]> | null = null;

  /**
   * @param pipeDirectory where names of pipes may be made for a moment; it is emptied first. Null for a temporary one
   * @param user whom tied commands run as; null for this process's own user
   */
  constructor(pipeDirectory: string | null = null, user: TaskUser | null = null) {
    this.#pipes = new FifoPipes(pipeDirectory, user !== null);
    this.#user = user;
  }

  async spawn(command: ProcessCommand, handlers: ProcessHandlers): Promise<StartedProcess> {
    const [name = ""] = command.argv;
    const look = () => checkProgram(command, this.#places);
    await this.#looks.run(look, () => toSpawnError(name, { code: "ETIMEDOUT" }));
    const prefix = command.isTied ? await this.#findPrefixes(command.argv[0] ?? "") : [];
    const { group, bounds } = await this.#bound(command, prefix);
    const made = await this.#makePipes(command);
    const input = command.inputFile === undefined ? null : openInput(command.inputFile, command.argv[0] ?? "", made);
    try {
      const started = await start(command, [...prefix, ...command.argv], { made, input }, handlers);
      return { ...started, ...(bounds !== null && { bounds }), endBounds: () => endGroup(group) };
    } catch (error) {
      await group?.remove();
      for (const { reader } of made) reader.destroy();
      throw error;
    } finally {
      for (const { writer } of made) closeSync(writer);
      if (input !== null) closeSync(input);
    }
  }

  /** Looks for what this machine can bound as a whole. What an earlier life has left in a group is ended. */
  async openGroups(name: string): Promise<ControlGroups> {
    this.#groups = await ControlGroups.find(name);
    return this.#groups;
  }

  /** Bounds it by a group where that can be done, and memory else by each process. @throws SpawnError where it cannot be bounded */
  async #bound({ argv, memoryBytesMax, processesMax }: ProcessCommand, prefix: string[]) {
    const [name = ""] = argv;
    if (memoryBytesMax === undefined && processesMax === undefined) return { group: null, bounds: null };
    if (processesMax !== undefined && this.#groups?.can("processesMax") !== true)
      throw new SpawnError("This worker cannot bound the number of processes (processesMax).", "task");
    const isGrouped = memoryBytesMax !== undefined && this.#groups?.can("memoryBytesMax") === true;
    const wanted = {
      ...(isGrouped && { memoryBytesMax }),
      ...(processesMax !== undefined && { processesMax }),
    };
    if (memoryBytesMax !== undefined && !isGrouped) prefix.push(...(await findMemoryLimiter(name, memoryBytesMax)));
    const bounds: BoundMeans = {
      ...(memoryBytesMax !== undefined && { memory: isGrouped ? "cgroup" : "process" }),
      ...(processesMax !== undefined && { processes: "cgroup" }),
    };
    if (this.#groups === null || Object.keys(wanted).length === 0) return { group: null, bounds };
    try {
      const group = await this.#groups.make(wanted);
      prefix.unshift(...joining(group.doors));
      return { group, bounds };
    } catch (error) {
      throw new SpawnError(`This worker cannot make a control group: ${codeOf(error)}.`, "machine", { cause: error });
    }
  }

  /** Removes what it keeps on disk. @returns false if something is still waiting for a disk or a process that hangs */
  async close(): Promise<boolean> {
    if (this.#looks.isBusy || this.#sweeper.isBusy) return false;
    await this.#pipes.close();
    return true;
  }

  /** Looked for once; where the machine is too short of something to look, with the next command again. */
  async #findPrefixes(program: string): Promise<string[]> {
    this.#prefixes ??= Promise.all([findTie(this.#user), findLimiter()]).then((found) => found.flat());
    try {
      return [...(await this.#prefixes)];
    } catch (error) {
      this.#prefixes = null;
      throw error instanceof SpawnError ? error : toSpawnError(program, error);
    }
  }

  /** One for stdout and one for stderr; none where the machine can make none, or nobody wants the output. */
  async #makePipes(command: ProcessCommand): Promise<readonly FifoPipe[]> {
    const made: FifoPipe[] = [];
    try {
      for (let count = 0; count < 2; count += 1) {
        const pipe = await this.#pipes.make();
        if (pipe !== null) made.push(pipe);
      }
    } catch (error) {
      drop(made);
      throw toSpawnError(command.argv[0] ?? "", error);
    }
    if (made.length === 2) return made;
    drop(made);
    return [];
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

  moment(): number {
    return moment();
  }

  killAll(marks: readonly string[], group: number | null, since: number | null = null): Promise<Sweep> {
    return this.#sweeper.killAll({ marks, group, since });
  }

  countOomKills(): Promise<number | null> {
    return countOomKills();
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

async function endGroup(group: ControlGroup | null): Promise<{ readonly hasHitProcesses: boolean }> {
  const hasHitProcesses = (await group?.hasHitProcesses()) === true;
  await group?.remove();
  return { hasHitProcesses };
}

/** @throws SpawnError */
function openInput(path: string, program: string, made: readonly FifoPipe[]): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    drop(made);
    throw toSpawnError(program, error);
  }
}

function drop(pipes: readonly FifoPipe[]): void {
  for (const { reader, writer } of pipes) {
    reader.destroy();
    closeSync(writer);
  }
}

/** @throws SpawnError */
function start(
  command: ProcessCommand,
  argv: readonly string[],
  { made, input }: { readonly made: readonly FifoPipe[]; readonly input: number | null },
  handlers: ProcessHandlers,
): Promise<StartedProcess> {
  const [program = "", ...args] = argv;
  const output = made.length === 2 ? made.map(({ writer }) => writer) : (["pipe", "pipe"] as const);
  return new Promise((started, reject) => {
    let child: ChildProcess;
    try {
      child = spawn(program, args, {
        env: { ...command.env },
        cwd: command.cwd,
        detached: true,
        stdio: [
          input ?? (command.hasInput ? "pipe" : "ignore"),
          ...output,
          ...(command.hasChannel === true ? (["ipc"] as const) : []),
        ],
      });
    } catch (error) {
      return reject(toSpawnError(command.argv[0] ?? "", error));
    }
    const { pid } = child;
    if (pid === undefined) {
      child.once("error", (error) => reject(toSpawnError(command.argv[0] ?? "", error)));
      return;
    }
    // A failed signal or write means that the process is gone; its exit is reported.
    child.on("error", () => undefined);
    child.stdin?.on("error", () => undefined);
    const readers = made.length === 2 ? made.map(({ reader }) => reader) : [child.stdout, child.stderr];
    const pipes = new OutputPipes(
      readers.filter((pipe) => pipe !== null),
      handlers,
    );
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

/** @throws SpawnError */
async function checkProgram(command: ProcessCommand, places: Map<string, string>): Promise<void> {
  await checkDirectory(command);
  // Looked up here, too: with setpriv, a missing program would look like one that exits with 127.
  const [program = ""] = command.argv;
  const path = command.env["PATH"] ?? "";
  const key = [program, path, command.cwd].join("\0");
  const found = await findProgram(program, path, command.cwd, places.get(key));
  if (places.size >= placesMax) places.clear();
  places.set(key, found);
}

/** @throws SpawnError */
async function checkDirectory({ cwd, home }: ProcessCommand): Promise<void> {
  const failure = await directoryFailure(cwd);
  if (failure === null) return;
  const isOwn = cwd !== home && (await directoryFailure(home)) === null && !isMachineFault({ code: failure });
  const message =
    failure === "ENOTDIR"
      ? `The working directory ${quote(cwd)} is not a directory.`
      : `The working directory ${quote(cwd)} does not exist on this worker (${failure}).`;
  throw new SpawnError(message, isOwn ? "task" : "machine");
}

/** The code of what is wrong with a directory; null if nothing is. */
async function directoryFailure(path: string): Promise<string | null> {
  try {
    return (await stat(path)).isDirectory() ? null : "ENOTDIR";
  } catch (error) {
    return codeOf(error);
  }
}

/**
 * A path of the program among those that execvp(3) would try; the first one, unless it is still where it was.
 * @param last where it was before; looked at first, since each look is a turn of another thread
 * @throws SpawnError
 */
async function findProgram(program: string, path: string, cwd: string, last?: string): Promise<string> {
  const candidates = program.includes("/")
    ? [resolve(cwd, program)]
    : path.split(delimiter).map((directory) => join(resolve(cwd, directory), program));
  if (last !== undefined && candidates.length > 1) candidates.unshift(last);
  let refused: string | null = null;
  let trouble: unknown = null;
  for (const candidate of candidates) {
    try {
      const found = await stat(candidate);
      if (!found.isFile()) throw Object.assign(new Error("not a file"), { code: "EACCES" });
      await access(candidate, constants.X_OK);
      return candidate;
    } catch (error) {
      if (isMachineFault(error)) trouble ??= error;
      else if (["EACCES", "EPERM"].includes(codeOf(error))) refused ??= candidate;
    }
  }
  if (trouble !== null) throw toSpawnError(program, trouble);
  if (refused !== null) throw new SpawnError(`${quote(refused)} is not executable for this worker.`, "task");
  throw new SpawnError(`The program ${quote(program)} does not exist on this worker.`, "task");
}

/**
 * What to put before a command so that the kernel kills it when its parent dies, prctl(2) PR_SET_PDEATHSIG, and so that it runs as
 * another user; nothing where the machine has no setpriv(1), or one that cannot do it, and no other user is wanted.
 */
async function findTie(user: TaskUser | null): Promise<readonly string[]> {
  const become = user === null ? [] : becomeOptions(user);
  const found = await findPrefix("setpriv", [...become, "--pdeathsig", "KILL", "--"]);
  // Better no task than one with the rights of its worker.
  if (found.length === 0 && user !== null)
    throw new SpawnError(`This worker can no longer run commands as ${user.name}.`, "machine");
  return found;
}

/** What to put before a command so that it gets the usual limit of open files; nothing where there is no prlimit(1). */
function findLimiter(): Promise<readonly string[]> {
  return findPrefix("prlimit", [`--nofile=${defaults.taskDescriptors}:`, "--"]);
}

/**
 * What to put before a command so that it, and each process that it starts, may have only so much memory of its own: getrlimit(2)
 * RLIMIT_DATA.
 * @throws SpawnError where the machine cannot do that: the command must not run without the bound
 */
async function findMemoryLimiter(program: string, bytes: number): Promise<readonly string[]> {
  let found: readonly string[] = [];
  try {
    found = await findPrefix("prlimit", [`--data=${bytes}`, "--"]);
  } catch (error) {
    throw toSpawnError(program, error);
  }
  if (found.length > 0) return found;
  throw new SpawnError(
    "This worker cannot bound memory (memoryBytesMax): it has no prlimit(1) that can do it.",
    "task",
  );
}

/**
 * A program with options that runs the command behind them; nothing where the machine has none that can do it.
 * @throws what the system says where it could not be tried
 */
async function findPrefix(name: string, options: readonly string[]): Promise<readonly string[]> {
  const path = process.env["PATH"] ?? "";
  const program = await findProgram(name, path, "/").catch((error: unknown) => {
    if (error instanceof SpawnError && error.fault === "machine") throw error.cause;
    return null;
  });
  if (program === null) return [];
  const isAble = await new Promise<boolean>((resolveAble, reject) => {
    const child = spawn(program, [...options, "true"], { env: { PATH: path }, stdio: "ignore" });
    child.once("error", (error) => (isMachineFault(error) ? reject(error) : resolveAble(false)));
    child.once("exit", (code) => resolveAble(code === 0));
  });
  return isAble ? [program, ...options] : [];
}
