/** A process that deals with files as the user of tasks: started when it is needed, ended when nobody has asked for a while. */
import { type ChildProcess, spawn } from "node:child_process";
import { defaults } from "../../model/limits.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import { FolderProblem } from "./fileTree.ts";
import { BrokenFrame, type Frame, FrameReader, type TreeAnswer, type TreeRequest, writeFrame } from "./frames.ts";

export interface TreeProcessOptions {
  /** Runs `treeProgram` as the user of tasks: a program and its arguments. */
  readonly argv: readonly string[];
  /** All of its environment, with the marks by which processes of this worker are found. */
  readonly env: { readonly [name: string]: string };
  readonly clock: Clock;
}

/** The process has ended, or does not answer. Another one may. */
export class TreeProcessLost extends Error {
  readonly code = "lost";
}

/** Answers one request at a time. */
export class TreeProcess {
  readonly #options: TreeProcessOptions;
  #child: TreeChild | null = null;
  #last: Promise<void> = Promise.resolve();
  #idle: Timer | null = null;

  constructor(options: TreeProcessOptions) {
    this.#options = options;
  }

  /** @param content goes with `put` @throws FolderProblem, TreeProcessLost, and what the system has said there */
  async ask(request: TreeRequest, content?: AsyncIterable<Uint8Array>): Promise<unknown> {
    const leave = await this.#enter();
    let answer: Frame | null = null;
    try {
      const child = await this.#begin(request);
      if (content !== undefined) {
        for await (const { buffer, byteOffset, length } of content)
          await child.write({ kind: "data", bytes: Buffer.from(buffer, byteOffset, length) });
        await child.write({ kind: "end" });
      }
      answer = await child.next();
    } finally {
      // Nobody knows how much of the request it has read.
      if (answer === null) this.end();
      leave();
    }
    return valueOf(answer);
  }

  /** The bytes that come before the answer. @throws like `ask` */
  async *receive(request: TreeRequest): AsyncGenerator<Uint8Array, void, undefined> {
    const leave = await this.#enter();
    let answer: Frame | null = null;
    try {
      const child = await this.#begin(request);
      for (;;) {
        const frame = await child.next();
        if (frame.kind !== "data") {
          answer = frame;
          break;
        }
        yield frame.bytes;
      }
    } finally {
      if (answer === null) this.end();
      leave();
    }
    valueOf(answer);
  }

  async #begin(request: TreeRequest): Promise<TreeChild> {
    if (this.#child?.hasEnded === true) this.#child = null;
    this.#child ??= new TreeChild(this.#options);
    await this.#child.write({ kind: "message", value: request });
    return this.#child;
  }

  /** Waits for its turn. @returns what ends the turn */
  async #enter(): Promise<() => void> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    await before;
    this.#idle?.cancel();
    return () => {
      const { clock } = this.#options;
      this.#idle = clock.at(clock.now() + defaults.treeIdleMs, () => this.end());
      turn.resolve();
    };
  }

  /** Until somebody asks again. */
  end(): void {
    this.#idle?.cancel();
    this.#child?.kill();
    this.#child = null;
  }
}

/** One such process. */
class TreeChild {
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  readonly #frames: FrameReader;
  /** Rejects when the process has ended and all that it had written is read. */
  readonly #ended = Promise.withResolvers<never>();
  #complaint = "";

  constructor({ argv: [program = "", ...args], env, clock }: TreeProcessOptions) {
    this.#clock = clock;
    this.#child = spawn(program, args, { env, cwd: "/", detached: true, stdio: ["pipe", "pipe", "pipe"] });
    this.#ended.promise.catch(() => undefined);
    this.#child.once("error", (error) => this.#ended.reject(lost(error.message)));
    this.#child.once("close", (code, signal) => {
      this.#ended.reject(lost(this.#complaint.trim() || (signal ?? `exit code ${code}`)));
    });
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stderr?.on("data", (bytes: Buffer) => {
      this.#complaint = `${this.#complaint}${bytes.toString()}`.slice(-complaintLengthMax);
    });
    this.#frames = new FrameReader(this.#child.stdout ?? nothing());
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async write(frame: Frame): Promise<void> {
    const { stdin } = this.#child;
    // That it cannot be written to means that it is about to end, and its end says why.
    await this.#orSilent(
      stdin === null ? this.#ended.promise : writeFrame(stdin, frame).catch(() => this.#ended.promise),
    );
  }

  async next(): Promise<Frame> {
    try {
      return (await this.#orSilent(this.#frames.next())) ?? (await this.#orSilent(this.#ended.promise));
    } catch (error) {
      throw error instanceof BrokenFrame ? lost(error.message) : error;
    }
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** A task has the same user: it may stop this process, and must not stop the worker with it. */
  async #orSilent<Result>(work: Promise<Result>): Promise<Result> {
    const silence = Promise.withResolvers<never>();
    const timer = this.#clock.at(this.#clock.now() + defaults.treeSilenceMs, () => {
      silence.reject(lost(`silent for ${defaults.treeSilenceMs} ms`));
    });
    try {
      return await Promise.race([work, this.#ended.promise, silence.promise]);
    } finally {
      timer.cancel();
    }
  }
}

const complaintLengthMax = 2000;

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {}

function lost(how: string): TreeProcessLost {
  return new TreeProcessLost(`The process that deals with the files of tasks is gone: ${how}`);
}

/** @throws what the answer says */
function valueOf(frame: Frame): unknown {
  const answer = (frame.kind === "message" ? frame.value : null) as Partial<TreeAnswer> | null;
  switch (answer?.kind) {
    case "done":
      return answer.value;
    case "problem":
      throw new FolderProblem(textOf(answer.code), textOf(answer.message));
    case "failure": {
      const error = new Error(textOf(answer.message));
      throw Object.assign(error, { code: answer.code === undefined ? "unknown" : textOf(answer.code) });
    }
    default:
      throw lost("it says nonsense");
  }
}

/** It may be the words of a task, so it goes into no error at any length. */
function textOf(value: unknown): string {
  return String(value).slice(0, complaintLengthMax);
}
