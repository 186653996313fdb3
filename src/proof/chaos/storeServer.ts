/** The server of a store, run by the chaos test itself: its process group is killed, and started again by the same command. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { connect } from "node:net";
import { RunFailed, until } from "../cluster/until.ts";

const upMsMax = 60_000;

export class StoreServer {
  readonly #command: string;
  readonly #host: string;
  readonly #port: number;
  readonly #logPath: string;
  #child: ChildProcess | null = null;

  /** @param address where the command serves, as the masters are told */
  constructor(command: string, address: string, logPath: string) {
    const [, host = "", port = "27017"] = /^mongodb:\/\/(?:[^@/]*@)?([^:/?,]+)(?::(\d+))?/.exec(address) ?? [];
    if (host === "") throw new RunFailed("--store-server serves one address.", "Name one host and port in --store.");
    this.#command = command;
    this.#host = host;
    this.#port = Number(port);
    this.#logPath = logPath;
  }

  /** Resolves once it takes connections. */
  async start(): Promise<void> {
    const log = openSync(this.#logPath, "a");
    // A process group of its own, so that whatever the shell starts is killed with it.
    const child = spawn("/bin/sh", ["-c", this.#command], { stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    child.on("error", () => undefined);
    this.#child = child;
    await until("the store's server to take connections", upMsMax, () => this.#isListening());
  }

  /** SIGKILL to all of it. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = Promise.withResolvers<void>();
    child.once("exit", () => exit.resolve());
    signalGroup(child.pid, "SIGKILL");
    await exit.promise;
  }

  /** SIGSTOP and SIGCONT: connections stay open, and nothing is answered. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    if (this.#child?.pid !== undefined) signalGroup(this.#child.pid, signal);
  }

  #isListening(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.#port, this.#host);
      const end = (isThere: boolean) => {
        socket.destroy();
        resolve(isThere);
      };
      socket.once("connect", () => end(true)).once("error", () => end(false));
    });
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}
