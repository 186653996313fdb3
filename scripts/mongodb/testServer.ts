/** A MongoDB server as a process of its own, for tests, chaos and measurements: started on a free port, killed, started again. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { TestServerProcess } from "../testServerProcess.ts";
import { installServer } from "./install.ts";

const startMsMax = 60_000;

export interface ServerOptions {
  /** Where it keeps its data; a temporary folder that goes with the server, if left out. */
  readonly folder?: string;
  readonly port?: number;
  /** Lets tests inject failures. */
  readonly hasTestCommands?: boolean;
  /** Each commit is on the disk before it is answered, as `mongod` does for what Outlast writes; without it, the server is faster. */
  readonly isSynced?: boolean;
}

export class TestServer extends TestServerProcess {
  readonly #program: string;
  readonly #options: ServerOptions;
  #port: number;

  private constructor(program: string, options: ServerOptions) {
    super("outlast-mongodb-", options.folder);
    this.#program = program;
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(await installServer(), options);
    await server.start();
    return server;
  }

  /** The address of a database on it. */
  uri(database = "outlast"): string {
    return `mongodb://127.0.0.1:${this.#port}/${database}?directConnection=true`;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Starts it, again on the port that it had. Resolves once it takes connections. */
  async start(): Promise<void> {
    const flags = ["--host", "127.0.0.1", "--port", String(this.#port), "--storage-path", this.folder];
    const testCommands = this.#options.hasTestCommands === false ? [] : ["--enable-test-commands"];
    const syncs = this.#options.isSynced === true ? ["--sync-on-commit"] : [];
    const child = spawn(this.#program, [...flags, "--cache-size", "64M", ...testCommands, ...syncs], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    let output = "";
    const listening = Promise.withResolvers<number>();
    const read = (text: string): void => {
      output = (output + text).slice(-10_000);
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
      if (port !== undefined) listening.resolve(Number(port));
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.once("error", listening.reject);
    child.once("exit", (code) => listening.reject(new Error(`The server ended with ${code}:\n${output}`)));
    const alarm = new AbortController();
    const late = setTimeout(startMsMax, null, { signal: alarm.signal }).then(() => {
      throw new Error(`The server was not there after ${startMsMax} ms:\n${output}`);
    });
    try {
      this.#port = await Promise.race([listening.promise, late]);
    } finally {
      alarm.abort();
      late.catch(() => undefined);
    }
  }

  /** Stands still until `resume`: connections stay open and nothing is answered. */
  pause(): void {
    this.process?.kill("SIGSTOP");
  }

  resume(): void {
    this.process?.kill("SIGCONT");
  }

  /** CPU time that the process has used so far, in ms. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8").split(" ");
    return (Number(fields[13]) + Number(fields[14])) * 10;
  }
}
