/** What every command can use: the global options, the output, a client for the masters, and a signal for Ctrl-C. */
import type { Command } from "commander";
import { Bearer } from "../model/bearer.ts";
import type { Outlast } from "../sdk/client.ts";
import type { ConnectionOptions } from "../sdk/connection.ts";
import type { Fetch } from "../sdk/fetch.ts";
import { type ExitCode, exitCodes } from "./exitCodes.ts";
import { Exit, reportFailure } from "./failure.ts";
import { globalValues } from "./globalOptions.ts";
import { Output, outliveReaders } from "./output.ts";
import { readLogin, readTokenFile, systemdTokenFile } from "./secrets.ts";

export interface GlobalOptions {
  readonly masters: readonly string[];
  readonly token?: string;
  readonly tokenFile?: string;
  readonly tlsCa?: string;
  readonly tlsClientCert?: string;
  readonly tlsClientKey?: string;
  readonly retryFor: number;
  readonly json?: boolean;
  readonly color: boolean;
}

/** A retry is reported after this long. Shorter interruptions are not worth a message. */
const quietMs = 1000;

/** For calls whose answer is optional: no retries, no messages. */
export const impatient = { retryForMs: 0, onRetry: () => {} } as const;

export class Context {
  readonly options: GlobalOptions;
  readonly output: Output;
  readonly #interrupt = new AbortController();
  #isTroubleNoted = false;

  constructor(options: GlobalOptions) {
    this.options = options;
    this.output = new Output({ json: options.json === true, color: options.color });
  }

  /** From `--token`, its variable, `--token-file`, or the credentials that systemd hands over. */
  get token(): string | null {
    const file = this.#tokenFile;
    return file === null ? this.options.token || null : readTokenFile(file);
  }

  /** The token of a process that runs for long: one from a file is read again where masters refuse it. */
  bearer(): Bearer {
    const file = this.#tokenFile;
    return new Bearer(file === null ? this.token : () => readTokenFile(file));
  }

  get #tokenFile(): string | null {
    const { token, tokenFile } = this.options;
    if (tokenFile !== undefined && tokenFile !== "") return tokenFile;
    return token !== undefined && token !== "" ? null : systemdTokenFile();
  }

  /** What calls of the masters are made with: the token, or else the session of `outlast login`. */
  get credential(): string | null {
    return this.token ?? readLogin(this.options.masters);
  }

  /** Aborted by Ctrl-C and SIGTERM, with an `Exit` as its reason. A command that uses it must end itself. */
  get signal(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** A client for the masters. Its modules are loaded here, not at start-up. */
  async client(options: Omit<ConnectionOptions, "fetch"> = {}): Promise<Outlast> {
    const [{ createClient }, fetchWith] = await Promise.all([import("../sdk/client.ts"), this.fetch()]);
    const startedAt = performance.now();
    return createClient({
      masters: this.options.masters,
      token: () => this.credential,
      fetch: fetchWith,
      retryForMs: this.options.retryFor,
      onRetry: ({ error }) => {
        if (this.#isTroubleNoted || performance.now() - startedAt < quietMs) return;
        this.#isTroubleNoted = true;
        this.output.note(`${error.message} Retrying …`);
      },
      ...options,
    });
  }

  /** How masters are called: with the certificate that was named, if any. */
  async fetch(): Promise<Fetch> {
    const { httpFetch } = await import("./httpFetch.ts");
    const { tlsClientCert, tlsClientKey } = this.options;
    if (tlsClientCert === undefined && tlsClientKey === undefined) return httpFetch();
    return httpFetch((await import("./tlsFiles.ts")).showCertificate(this.options));
  }

  /** The first signal aborts `signal`; a second one ends the process at once. */
  catchSignals(): () => void {
    const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;
    const onSignal = (name: "SIGINT" | "SIGTERM") => {
      if (this.#interrupt.signal.aborted) process.exit(codes[name]);
      this.#interrupt.abort(new Exit(codes[name]));
    };
    const names = Object.keys(codes) as (keyof typeof codes)[];
    for (const name of names) process.on(name, onSignal);
    return () => {
      for (const name of names) process.off(name, onSignal);
    };
  }
}

/**
 * Makes a commander action of `run`: creates its context, and sets the exit code from what it returns or throws.
 * `"server"` is for commands that serve others: they handle signals themselves and outlive the reader of their output.
 */
export function action<Arguments extends unknown[]>(
  run: (context: Context, ...operandsAndOptions: Arguments) => Promise<ExitCode | undefined>,
  role: "command" | "server" = "command",
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options = globalValues<GlobalOptions>(command);
    const context = new Context(options);
    if (role === "server") outliveReaders();
    const release = role === "command" ? context.catchSignals() : () => {};
    try {
      if (options.tlsCa !== undefined) (await import("./tlsFiles.ts")).trustAuthority(options.tlsCa);
      process.exitCode = (await run(context, ...(given.slice(0, -1) as Arguments))) ?? exitCodes.ok;
    } catch (error) {
      process.exitCode = reportFailure(error, options.json === true);
      // A server that failed may still hold sockets and timers. Do not wait for them.
      if (role === "server") process.exit();
    } finally {
      release();
    }
  };
}
