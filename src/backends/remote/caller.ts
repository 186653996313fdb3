/** Makes the calls of a service: runs a command, or sends a request. */
import { spawn } from "node:child_process";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { BackendTrouble } from "../../ports/backend.ts";
import { fillAll, fillText, type Values } from "./placeholders.ts";
import type { Call, HttpCall } from "./service.ts";

/** What a call came to. */
export interface CallAnswer {
  /** Of a request; null of a command, whose exit code was 0. */
  readonly status: number | null;
  readonly body: Buffer;
}

/** A service has answered a request with a status that is no success. */
export class BadStatus extends BackendTrouble {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface CallerOptions {
  /** Where commands run; absolute. */
  readonly directory: string;
  /** All that commands see besides what they are told of the run, and `${env.NAME}`. */
  readonly environment: { readonly [name: string]: string };
  readonly timeoutMs: number;
}

export class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /**
   * @param values what placeholders stand for; commands have them in their environment, too (`OUTLAST_HANDLE`)
   * @param input what a command reads from its stdin
   * @throws BackendTrouble if it fails, or answers with more than there is room for
   */
  call({ command, http }: Call, values: Values, input = ""): Promise<CallAnswer> {
    const all = { ...values, env: { ...this.#options.environment } };
    if (command !== undefined) return this.#run(command, all, values, input);
    if (http !== undefined) return this.#request(http, all);
    throw new Error("A call is neither a command nor a request.");
  }

  #run(command: readonly string[], all: Values, told: Values, input: string): Promise<CallAnswer> {
    const { directory, environment, timeoutMs } = this.#options;
    const [program = "", ...args] = command.map((word) => fillText(word, all));
    return new Promise((resolve, reject) => {
      // A group of its own, so that a time-out ends all of it.
      const child = spawn(program, args, {
        cwd: directory,
        env: { ...environment, ...variablesOf(told) },
        stdio: ["pipe", "pipe", "pipe"],
        detached: true,
      });
      const kill = () => {
        if (child.pid !== undefined) tryKill(child.pid);
      };
      const timer = setTimeout(() => {
        kill();
        reject(new BackendTrouble(`${program} took longer than ${timeoutMs / 1000} s.`));
      }, timeoutMs);
      const pieces: Buffer[] = [];
      let bytes = 0;
      let errors = "";
      child.stdout.on("data", (piece: Buffer) => {
        bytes += piece.length;
        if (bytes <= limits.remoteAnswerBytesMax) pieces.push(piece);
        else kill();
      });
      child.stderr.on("data", (piece: Buffer) => {
        errors = `${errors}${piece.toString()}`.slice(-limits.errorMessageLengthMax);
      });
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      child.on("error", (error) => {
        clearTimeout(timer);
        reject(new BackendTrouble(`${program} cannot be run: ${error.message}`));
      });
      child.on("close", (code, signal) => {
        clearTimeout(timer);
        if (bytes > limits.remoteAnswerBytesMax) return reject(tooLarge(program));
        if (code === 0) return resolve({ status: null, body: Buffer.concat(pieces) });
        const why = errors.trim().split("\n").at(-1) ?? "";
        const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
        reject(new BackendTrouble(`${program} ${how}${why === "" ? "." : `: ${why}`}`));
      });
    });
  }

  async #request({ url, method, headers = {}, json }: HttpCall, all: Values): Promise<CallAnswer> {
    const body = json === undefined ? undefined : JSON.stringify(fillAll(json, all));
    const target = fillText(url, all, encodeURIComponent);
    const given = Object.entries(headers).map(([name, value]) => [name, fillText(value, all)]);
    const { host, pathname } = new URL(target);
    try {
      const answer = await fetch(target, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: {
          "User-Agent": "outlast",
          ...(body !== undefined && { "Content-Type": "application/json" }),
          ...(Object.fromEntries(given) as { [name: string]: string }),
        },
        // It could lead credentials to somebody else.
        redirect: "error",
        signal: AbortSignal.timeout(this.#options.timeoutMs),
        ...(body !== undefined && { body }),
      });
      const content = await readBody(answer, host);
      if (answer.ok) return { status: answer.status, body: content };
      const text = content.toString().trim().slice(0, 300);
      throw new BadStatus(
        answer.status,
        `${host}${pathname} answered ${answer.status}${text === "" ? "." : `: ${text}`}`,
      );
    } catch (error) {
      if (error instanceof BackendTrouble) throw error;
      throw new BackendTrouble(`${host} does not answer: ${describe(error)}`);
    }
  }
}

/** `OUTLAST_GRACE_SECONDS=5`; what is no text is JSON. */
function variablesOf(values: Values): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => name !== "job")
      .map(([name, value]) => [
        `OUTLAST_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
        typeof value === "string" ? value : JSON.stringify(value as Json),
      ]),
  );
}

async function readBody(answer: Response, host: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > limits.remoteAnswerBytesMax) throw tooLarge(host);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function tooLarge(who: string): BackendTrouble {
  return new BackendTrouble(`${who} answers with more than ${limits.remoteAnswerBytesMax} bytes.`);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

function tryKill(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
