/** Starts processes in a session of their own, tied to this process by the kernel where that is possible. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
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
import { findLimiter, findMemoryLimiter, findProgram, findTie } from "./programs.ts";
import { Spawner } from "./spawner.ts";
import { codeOf, isMachineFault, quote, toSpawnError } from "./spawnFailure.ts";
import type { TaskUser } from "./taskUser.ts";
import { ThreadedSweeper } from "./threadedSweeper.ts";

/** So many programs are remembered. */
const placesMax = 1000;

export class SystemProcesses implements Processes {
  readonly #sweeper = new ThreadedSweeper();
  readonly #looks = new BoundedLooks(limits.spawnLooksMax, defaults.spawnLookMs);
  readonly #pipes: FifoPipes;
  readonly #user: TaskUser | null;
  readonly #onLost: () => void;
  /** Null until they are looked for. */
  #groups: ControlGroups | null = null;
  /** Where each program was last; it is looked for there first. */
  readonly #places = new Map<string, string>();
  /** How tied commands are started. */
  #ways: Promise<Ways> | null = null;

  /**
   * @param pipeDirectory where names of pipes may be made for a moment; it is emptied first. Null for a temporary one
   * @param user whom tied commands run as; null for this process's own user
   * @param onLost tied commands have died, and nobody knows which and how: what has started them was killed. As one of them may have
   * done that, it is to be as if they had killed this process, and by default it is
   */
  constructor(
    pipeDirectory: string | null = null,
    user: TaskUser | null = null,
    onLost: () => void = () => process.kill(process.pid, "SIGKILL"),
  ) {
    this.#pipes = new FifoPipes(pipeDirectory, user !== null);
    this.#user = user;
    this.#onLost = onLost;
  }

  async spawn(command: ProcessCommand, handlers: ProcessHandlers): Promise<StartedProcess> {
    const [name = ""] = command.argv;
    const look = () => checkProgram(command, this.#places);
    await this.#looks.run(look, () => toSpawnError(name, { code: "ETIMEDOUT" }));
    const made = await this.#makePipes(command);
    let group: ControlGroup | null = null;
    try {
      const { spawner, prefix } = await this.#findWay(command, made);
      const bound = await this.#bound(command, prefix);
      group = bound.group;
      const argv = [...prefix, ...command.argv];
      const started = await (spawner === null
        ? start(command, argv, made, handlers)
        : startBy(spawner, command, argv, made, handlers));
      return {
        ...started,
        ...(bound.bounds !== null && { bounds: bound.bounds }),
        endBounds: () => endGroup(bound.group),
      };
    } catch (error) {
      await group?.remove();
      for (const { reader } of made) reader.destroy();
      throw error;
    } finally {
      for (const { writer } of made) closeSync(writer);
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
    const ways = await this.#ways?.catch(() => null);
    ways?.spawner?.close();
    await this.#pipes.close();
    return true;
  }

  /** Through the spawner where there is one and all that the command needs can be handed on to it. */
  async #findWay({ argv, isTied, hasInput, hasChannel }: ProcessCommand, made: readonly FifoPipe[]): Promise<Way> {
    if (!isTied) return { spawner: null, prefix: [] };
    const { spawner, become, direct } = await this.#findWays(argv[0] ?? "");
    if (spawner === null || made.length !== 2 || hasInput || hasChannel === true)
      return { spawner: null, prefix: [...direct] };
    return { spawner, prefix: [...become] };
  }

  /** Looked for once; where the machine is too short of something to look, with the next command again. */
  async #findWays(program: string): Promise<Ways> {
    this.#ways ??= findWays(this.#user, this.#onLost);
    try {
      return await this.#ways;
    } catch (error) {
      this.#ways = null;
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

  signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
    signalGroup(group, signal);
  }

  moment(): number {
    return moment();
  }

  killAll(marks: readonly string[], group: number | null, since: number | null = null): Promise<Sweep> {
    return this.#sweeper.killAll({ marks, group, since });
  }

  countOomKills(): number | null {
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

/** @param signal 0 only asks. @returns false if the group has no process left */
function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL" | 0): boolean {
  // 0 and 1 would mean this process's own group, and everyone.
  if (!(group > 1)) throw new Error(`${group} is not a process group.`);
  try {
    return process.kill(-group, signal);
  } catch (error) {
    // EPERM: it exists, but belongs to another user.
    return codeOf(error) === "EPERM";
  }
}

async function endGroup(group: ControlGroup | null): Promise<{ readonly hasHitProcesses: boolean }> {
  const hasHitProcesses = (await group?.hasHitProcesses()) === true;
  await group?.remove();
  return { hasHitProcesses };
}

function drop(pipes: readonly FifoPipe[]): void {
  for (const { reader, writer } of pipes) {
    reader.destroy();
    closeSync(writer);
  }
}

/** How a command is started. */
interface Way {
  /** Null: this process starts it itself. */
  readonly spawner: Spawner | null;
  /** What stands before it. */
  readonly prefix: string[];
}

interface Ways {
  readonly spawner: Spawner | null;
  /** What stands before a command that the spawner starts, which ties it and has lowered the limit of open files. */
  readonly become: readonly string[];
  /** What stands before one that this process starts itself. */
  readonly direct: readonly string[];
}

async function findWays(user: TaskUser | null, onLost: () => void): Promise<Ways> {
  const [tie, limiter] = await Promise.all([findTie(user), findLimiter()]);
  const spawner = await Spawner.open(limiter, onLost);
  return { spawner, become: user === null ? [] : tie, direct: [...tie, ...limiter] };
}

/** @throws SpawnError */
async function startBy(
  spawner: Spawner,
  command: ProcessCommand,
  argv: readonly string[],
  made: readonly FifoPipe[],
  handlers: ProcessHandlers,
): Promise<StartedProcess> {
  const { env, cwd, inputFile = "/dev/null" } = command;
  const output = made.map(({ writer }) => writer);
  const pipes = new OutputPipes(
    made.map(({ reader }) => reader),
    handlers,
  );
  try {
    const pid = await spawner.start({ argv, env, cwd, input: inputFile, output }, (exit, hasGroup) =>
      handlers.onExit(exit, hasGroup),
    );
    return { pid, write: () => {}, send: () => {}, drained: () => pipes.drained(), closeOutput: () => pipes.close() };
  } catch (error) {
    throw toSpawnError(command.argv[0] ?? "", error);
  }
}

/** @throws SpawnError */
function start(
  command: ProcessCommand,
  argv: readonly string[],
  made: readonly FifoPipe[],
  handlers: ProcessHandlers,
): Promise<StartedProcess> {
  return new Promise((started, reject) => {
    let child: ChildProcess;
    try {
      child = spawnDirectly(command, argv, made);
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
    child.once("exit", (code, signal) =>
      handlers.onExit({ code, signal }, { hasGroup: signalGroup(pid, 0), mayHaveMore: true }),
    );
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

function spawnDirectly(command: ProcessCommand, argv: readonly string[], made: readonly FifoPipe[]): ChildProcess {
  const [program = "", ...args] = argv;
  const output = made.length === 2 ? made.map(({ writer }) => writer) : (["pipe", "pipe"] as const);
  const input = command.inputFile === undefined ? null : openSync(command.inputFile, "r");
  try {
    return spawn(program, args, {
      env: { ...command.env },
      cwd: command.cwd,
      detached: true,
      stdio: [
        input ?? (command.hasInput ? "pipe" : "ignore"),
        ...output,
        ...(command.hasChannel === true ? (["ipc"] as const) : []),
      ],
    });
  } finally {
    if (input !== null) closeSync(input);
  }
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
