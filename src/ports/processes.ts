/** Processes of the machine: starting them so that none escapes, and finding those that did. */
import type { Json } from "../model/json.ts";
import type { BoundMeans, ExitRecord } from "../model/task.ts";

export interface Processes {
  /**
   * Starts a program in a session and process group of its own, whose id is its process id.
   * @throws SpawnError if it cannot be started; no handler is called then
   */
  spawn(command: ProcessCommand, handlers: ProcessHandlers): Promise<StartedProcess>;
  /** Sends a signal to every process of a group; nothing happens if it has none left. */
  signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void;
  /**
   * Kills every process of `group` (null for none) and every process whose environment holds all of `marks` (each
   * `NAME=value`), and looks again until there is none. A process inherits its parent's environment, so this finds what left
   * its group, unless it cleared its environment as well.
   * @param since a `moment` at which none of them was alive: what was there before is somebody else's. Left out: that is not known
   */
  killAll(marks: readonly string[], group: number | null, since?: number): Promise<Sweep>;
  /** Now, on a clock that runs only forward. */
  moment(): number;
  /** How many processes the machine has killed since its start because memory ran out; null where it does not tell. */
  countOomKills(): number | null;
}

/** Bounds of a command with all that it starts. */
export interface GroupBounds {
  readonly processesMax?: number;
  readonly memoryBytesMax?: number;
}

export interface ProcessCommand {
  /** The program, looked up in `env.PATH` unless it has a slash, and its arguments. */
  readonly argv: readonly string[];
  /** All of its environment. */
  readonly env: { readonly [name: string]: string };
  /** Absolute. */
  readonly cwd: string;
  /** A directory that this machine owes to every command; where it is missing, that is not the command's fault. Absolute. */
  readonly home: string;
  /** True: it runs a task. The kernel kills it when this process dies, where the machine can do that, and it has the user of tasks. */
  readonly isTied: boolean;
  /** Memory that it may have with all that it starts, in bytes; where the machine cannot bound that, each process by itself. */
  readonly memoryBytesMax?: number;
  /** Processes and threads that it may be at a time, with all that it starts. */
  readonly processesMax?: number;
  /** True: its stdin is a pipe from this process; false: its stdin is empty. */
  readonly hasInput: boolean;
  /** The file that it reads from its stdin, instead. Absolute. */
  readonly inputFile?: string;
  /** True: it is a Node program that exchanges messages with this process. */
  readonly hasChannel?: boolean;
}

export interface ProcessHandlers {
  /**
   * Bytes of stdout and stderr as they arrive, split only between UTF-8 characters. While a returned promise is pending nothing
   * more is read, and the process blocks on its full pipe.
   */
  onOutput(bytes: Uint8Array): void | Promise<void>;
  /** All output has been delivered. Not called after `closeOutput`. */
  onOutputEnd(): void;
  /** Called once. Output may still arrive from the pipe, or from children that hold it open. */
  onExit(exit: ExitRecord, remains: Remains): void;
  /** What the process sent over its channel, in order. */
  onMessage?(message: Json): void;
}

/** What is left of a process that has ended, when its id becomes free for others. */
export interface Remains {
  /** Other processes of its group live. */
  readonly hasGroup: boolean;
  /** False if it is known that nothing lives which it had started, in its group or out of it. */
  readonly mayHaveMore: boolean;
}

export interface StartedProcess {
  readonly pid: number;
  /** How it is bounded; left out where nothing bounds it. */
  readonly bounds?: BoundMeans;
  /** To be called when nothing of it is alive. @returns what of its bounds it has met */
  endBounds?(): Promise<{ readonly hasHitProcesses: boolean }>;
  /** Writes to its stdin; nothing happens if it has closed it. */
  write(text: string): void;
  /** Sends a message over its channel; nothing happens if it is gone. */
  send(message: Json): void;
  /** Resolves when all that it had written before this call has been handed on. */
  drained(): Promise<void>;
  /** Reads no more output; a process that goes on writing gets SIGPIPE. */
  closeOutput(): void;
}

export interface Sweep {
  readonly killed: number;
  /** False if the machine could not be looked at: there may be processes that nobody has seen. */
  readonly isComplete: boolean;
  /** Processes that SIGKILL could not end within `limits.processSweepMsMax`: stuck in the kernel, or another user's. */
  readonly left: readonly number[];
}

/** A program could not be started; the message says why, for people. */
export class SpawnError extends Error {
  /** `machine`: on another machine, or later, the same program may well be started. */
  readonly fault: "task" | "machine";

  constructor(message: string, fault: "task" | "machine", options?: ErrorOptions) {
    super(message, options);
    this.name = "SpawnError";
    this.fault = fault;
  }
}
