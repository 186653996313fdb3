/** Runs commands of podman or docker. */
import { execFile, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { limits } from "../../model/limits.ts";
import { BackendTrouble, type Cancellation } from "../../ports/backend.ts";

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  /** Kills the command. */
  readonly stop?: Cancellation;
}

export class ContainerEngine {
  /** Absolute. */
  readonly program: string;
  /** All that its commands see of this process's environment. */
  readonly environment: { readonly [name: string]: string };

  constructor(program: string, environment: { readonly [name: string]: string }) {
    this.program = program;
    this.environment = environment;
  }

  /** `podman` or `docker`. */
  get name(): "podman" | "docker" {
    return basename(this.program).startsWith("podman") ? "podman" : "docker";
  }

  /** Asks whether containers can be started here at all. @throws BackendTrouble with what the engine says */
  async check(): Promise<void> {
    const answer = await this.call(["info"]);
    if (answer.code !== 0) throw new BackendTrouble(`${this.name} does not work here: ${lastLine(answer.stderr)}`);
  }

  /** Whatever its exit code. @throws BackendTrouble if it cannot be started, or takes too long */
  call(words: readonly string[], { timeoutMs = limits.engineCallMsMax, stop }: CallOptions = {}): Promise<Answer> {
    const options = {
      env: { ...this.environment },
      // Some leave files where they are started.
      cwd: tmpdir(),
      maxBuffer: limits.engineAnswerBytesMax,
      timeout: timeoutMs,
      killSignal: "SIGKILL" as const,
    };
    return new Promise((resolve, reject) => {
      if (stop?.aborted === true) return reject(new BackendTrouble(`${this.name} was not asked any more.`));
      const kill = () => void child.kill("SIGKILL");
      const child = execFile(this.program, words, options, (error, stdout, stderr) => {
        stop?.removeEventListener("abort", kill);
        if (error === null) return resolve({ code: 0, stdout, stderr });
        if (typeof error.code === "number") return resolve({ code: error.code, stdout, stderr });
        const what = `${this.name} ${words[0] ?? ""}`;
        if (stop?.aborted === true) return reject(new BackendTrouble(`${what} was broken off.`));
        if (error.killed === true) return reject(new BackendTrouble(`${what} took longer than ${timeoutMs / 1000} s.`));
        reject(new BackendTrouble(`${what} cannot be run: ${error.message}`));
      });
      stop?.addEventListener("abort", kill);
    });
  }

  /** What a command prints, stdout and stderr in the order in which it writes them. Ends with the command. */
  async *read(words: readonly string[], stop: Cancellation): AsyncGenerator<Uint8Array, void, undefined> {
    if (stop.aborted) return;
    // One pipe for both: with two, their order would be lost.
    const child = spawn("/bin/sh", ["-c", 'exec "$@" 2>&1', "sh", this.program, ...words], {
      env: { ...this.environment },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const kill = () => void child.kill("SIGKILL");
    stop.addEventListener("abort", kill);
    const failed = new Promise<never>((_, reject) => {
      child.once("error", (error) => reject(new BackendTrouble(`${this.name} cannot be run: ${error.message}`)));
    });
    failed.catch(() => undefined);
    try {
      if (child.pid === undefined) await failed;
      for await (const bytes of child.stdout as AsyncIterable<Buffer>) yield bytes;
    } finally {
      stop.removeEventListener("abort", kill);
      kill();
    }
  }
}

/** Of what an engine writes to its stderr, the last line says why. */
export function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line.replace(/^Error( response from daemon)?:\s*/i, "").slice(0, 1000) || "it does not say why";
}
