/** One attempt of kind `exec`: its folder, its commands one after another, and what is kept of it. */
import { resolve } from "node:path";
import { sha256Of } from "../../model/blob.ts";
import { commandsOf, type ExecInput, needsFolder } from "../../model/kinds/exec.ts";
import { type AttemptEnd, type IssuedAttempt, machineFault } from "../../model/protocol.ts";
import type { ExitRecord } from "../../model/task.ts";
import type { AttemptSession } from "../../ports/work.ts";
import type { AttemptFolder } from "../folders/attemptFolder.ts";
import { FolderProblem } from "../folders/fileTree.ts";
import { CommandAttempt } from "./command.ts";
import { attemptEnvironment, attemptMarks, type Environment } from "./environment.ts";
import type { Machine } from "./kindRunner.ts";
import { TransferAborted, Transfers } from "./transfers.ts";

export interface ExecAttemptParts {
  readonly attempt: IssuedAttempt;
  readonly input: ExecInput;
  readonly machine: Machine;
  readonly session: AttemptSession;
  /** Added to the environment of each command. */
  readonly environment: Environment;
}

export class ExecAttempt {
  readonly #parts: ExecAttemptParts;
  readonly #transfers: Transfers;
  /** Before its first command: what a command leaves behind is looked for after each later one, too. */
  readonly #since: number;
  #current: CommandAttempt | null = null;
  #isAborted = false;

  constructor(parts: ExecAttemptParts) {
    this.#parts = parts;
    const { blobs, clock, processes } = parts.machine;
    this.#since = processes.moment();
    this.#transfers = new Transfers({ blobs, clock, isAborted: () => this.#isAborted });
  }

  /** Resolves when nothing of it is alive, and its folder is gone. Never rejects for what its commands do. Call it once. */
  async run(): Promise<AttemptEnd> {
    const { input, machine } = this.#parts;
    const startedAt = machine.clock.now();
    const folders = machine.attemptFolders;
    if (!needsFolder(input)) return this.#runCommands(null, startedAt);
    let folder: AttemptFolder | null = null;
    try {
      if (folders === null) throw new FolderProblem("unsupported", "This worker has no place for folders of attempts.");
      folder = await folders.make();
      await this.#fill(folder);
      folder.files.rest();
      const end = await this.#runCommands(folder, startedAt);
      if (end.outcome !== "success" || input.artifacts === undefined) return end;
      await this.#transfers.keepArtifacts(folder, input.artifacts, this.#parts.session);
      return { ...end, endedAt: machine.clock.now() };
    } catch (error) {
      return { ...this.#judge(error), startedAt, endedAt: machine.clock.now() };
    } finally {
      await folder?.remove();
    }
  }

  /** Ends what runs now, and begins nothing more. */
  abort(graceMs: number): void {
    this.#isAborted = true;
    this.#current?.abort(graceMs);
  }

  async #fill(folder: AttemptFolder): Promise<void> {
    const { stdin, files = {} } = this.#parts.input;
    if (typeof stdin === "string") await folder.putStdin(whole(stdin));
    else if (stdin !== undefined) await this.#fetch(stdin.blob, (content) => folder.putStdin(content));
    for (const [name, reference] of Object.entries(files)) {
      await this.#fetch(reference, async (content) => {
        // What an earlier try has left.
        await folder.files.discard(name);
        await folder.files.put(name, content);
      });
    }
  }

  async #fetch(reference: string, write: (content: AsyncIterable<Uint8Array>) => Promise<void>): Promise<void> {
    const sha256 = sha256Of(reference);
    if (sha256 === null) throw new FolderProblem("invalid-input", `${JSON.stringify(reference)} names no blob.`);
    await this.#transfers.fetch(sha256, write);
  }

  async #runCommands(folder: AttemptFolder | null, startedAt: number): Promise<AttemptEnd> {
    const { input, machine } = this.#parts;
    const commands = commandsOf(input);
    const exits: ExitRecord[] = [];
    let number = 0;
    for (const words of commands) {
      const end = await this.#runCommand(words, folder);
      if (end.exit !== undefined) exits.push(end.exit);
      number += 1;
      if (number < commands.length && end.outcome === "success") continue;
      if (input.commands === undefined) return { ...end, startedAt };
      return { ...namedCommand(end, number, commands.length), startedAt, exits };
    }
    throw new Error(`An exec task has no command (${machine.worker}).`);
  }

  async #runCommand(words: readonly string[], folder: AttemptFolder | null): Promise<AttemptEnd> {
    const { attempt, input, machine, environment } = this.#parts;
    const { processes, watchdog, clock, log, directory } = machine;
    if (this.#isAborted) return { outcome: "aborted", startedAt: clock.now(), endedAt: clock.now() };
    const command = new CommandAttempt({
      ...{ attempt, processes, watchdog, clock, log },
      argv: input.shell === true ? ["/bin/sh", "-c", ...words] : words,
      bounds: {
        ...(input.memoryBytesMax !== undefined && { memoryBytesMax: input.memoryBytesMax }),
        ...(input.processesMax !== undefined && { processesMax: input.processesMax }),
      },
      inputFile: input.stdin === undefined || folder === null ? null : folder.stdin,
      env: {
        ...attemptEnvironment(machine.commandEnvironment, { ...input.env, ...input.secretEnv }, machine, attempt),
        ...environment,
        ...(folder !== null && { OUTLAST_FOLDER: folder.files.path }),
      },
      cwd: resolve(folder?.files.path ?? directory, input.cwd ?? ""),
      home: directory,
      marks: attemptMarks(machine, attempt),
      since: this.#since,
      wasSignalled: () => machine.wasSignalled(),
      onOutput: (bytes) => machine.onOutput(attempt, bytes),
    });
    this.#current = command;
    return command.run();
  }

  #judge(error: unknown): Pick<AttemptEnd, "outcome" | "error"> {
    if (this.#isAborted || error instanceof TransferAborted) return { outcome: "aborted" };
    if (error instanceof FolderProblem) {
      return { outcome: "failed", error: { code: error.code, message: error.message } };
    }
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    // The disk of this machine: elsewhere, or later, the attempt may well run.
    const text = `The folder of the attempt cannot be used: ${message}`;
    return { outcome: "aborted", error: { code: machineFault, message: text } };
  }
}

async function* whole(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(text);
}

/** Says which of several commands has failed. */
function namedCommand(end: AttemptEnd, number: number, count: number): AttemptEnd {
  if (end.error === undefined || count === 1) return end;
  const { message } = end.error;
  const named = message.startsWith("The command ")
    ? message.replace("The command ", `Command ${number} of ${count} `)
    : `Command ${number} of ${count}: ${message}`;
  return { ...end, error: { ...end.error, message: named } };
}
