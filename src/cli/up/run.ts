/** `outlast up` at work: a master and its workers as child processes, for as long as nobody presses Ctrl-C. */
import { defaults } from "../../model/limits.ts";
import type { Outlast } from "../../sdk/client.ts";
import type { Colour } from "../colour.ts";
import type { UpFlags } from "../commands/up.ts";
import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { findFreePort } from "../freePort.ts";
import { bootIn } from "../readyLine.ts";
import { type ProcessExit, Supervised } from "./supervised.ts";

const lineColours: readonly Colour[] = ["cyan", "green", "yellow", "blue", "magenta"];

export async function runUp(context: Context, flags: UpFlags): Promise<ExitCode> {
  const port = flags.port === 0 ? await findFreePort() : flags.port;
  const cluster = new LocalCluster(context, { ...flags, port });
  return cluster.run();
}

class LocalCluster {
  readonly #context: Context;
  readonly #flags: UpFlags;
  readonly #address: string;
  readonly #master: Supervised;
  readonly #workers: readonly Supervised[];
  readonly #prefixLength: number;
  /** Breaks off what is being told to the master. */
  readonly #telling = new AbortController();
  readonly #outcome = Promise.withResolvers<ExitCode>();
  #client: Outlast | null = null;
  #areWorkersStarted = false;
  #isStopping = false;

  constructor(context: Context, flags: UpFlags) {
    this.#context = context;
    this.#flags = flags;
    this.#address = `http://${flags.address.includes(":") ? `[${flags.address}]` : flags.address}:${flags.port}`;
    const names = Array.from({ length: flags.workers }, (_, index) => `worker-${index + 1}`);
    this.#prefixLength = Math.max("master".length, ...names.map((name) => name.length));
    this.#master = this.#supervise("master", 0, this.#masterArguments());
    this.#workers = names.map((name, index) => this.#supervise(name, index + 1, this.#workerArguments(name)));
  }

  async run(): Promise<ExitCode> {
    // Whatever ends this process in an unforeseen way must not leave the others behind.
    const killAll = () => {
      for (const one of this.#all()) one.kill();
    };
    process.on("exit", killAll);
    const release = this.#catchSignals(killAll);
    this.#client = await this.#context.client({
      masters: [this.#address],
      onRetry: () => {},
      retryForMs: defaults.clientRetryForMs,
    });
    this.#master.start();
    try {
      return await this.#outcome.promise;
    } finally {
      release();
      process.off("exit", killAll);
    }
  }

  #all(): readonly Supervised[] {
    return [this.#master, ...this.#workers];
  }

  #masterArguments(): string[] {
    const { address, port, data } = this.#flags;
    const where = ["--name", "master", "--address", address, "--port", String(port), "--data", data];
    return ["master", ...where, "--stop-on-stdin-end", ...this.#logArguments()];
  }

  #workerArguments(name: string): string[] {
    const { capacity, queues, data, drainTimeout } = this.#flags;
    return [
      "worker",
      ...["--masters", this.#address, "--name", name, "--capacity", String(capacity), "--data", data],
      ...["--drain-timeout", `${drainTimeout}ms`],
      ...["--queues", queues.join(",")],
      "--stop-on-stdin-end",
      ...this.#logArguments(),
    ];
  }

  #logArguments(): string[] {
    const format = this.#flags.logFormat ?? (this.#context.output.isJson ? "json" : "pretty");
    return ["--log-level", this.#flags.logLevel, "--log-format", format];
  }

  #supervise(name: string, index: number, childArguments: readonly string[]): Supervised {
    const { token, output } = this.#context;
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...(token === null ? {} : { OUTLAST_TOKEN: token }),
      ...(output.areNotesPainted ? { FORCE_COLOR: "1" } : {}),
    };
    // What is set for the user's own commands must not lead the children elsewhere.
    delete env["OUTLAST_MASTERS"];
    delete env["OUTLAST_DATA"];
    const prefix = output.paintNotes(
      lineColours[index % lineColours.length] ?? "cyan",
      `${name.padEnd(this.#prefixLength)} │`,
    );
    return new Supervised({
      name,
      arguments: childArguments,
      env,
      onLine: (_stream, line) => process.stderr.write(output.isJson ? `${line}\n` : `${prefix} ${line}\n`),
      onReady: (line) => this.#onReady(name, line),
      // A master that never came up will not do so by being started again: its port is taken, its store refused.
      isRestarted: () => name !== "master" || this.#areWorkersStarted,
      onExit: (exit, restartMs) => this.#onExit(name, exit, restartMs),
    });
  }

  #onReady(name: string, line: string): void {
    this.#tell({ process: name, event: "ready" }, `${name} is ready`);
    if (name !== "master" || this.#areWorkersStarted || this.#isStopping) return;
    this.#areWorkersStarted = true;
    const where = this.#flags.port === defaults.port ? "" : ` --masters ${this.#address}`;
    this.#context.output.note(
      `${line}\nIn another terminal: outlast${where} submit sleep 5; Ctrl-C here ends everything.`,
    );
    for (const worker of this.#workers) worker.start();
  }

  #onExit(name: string, exit: ProcessExit, restartMs: number | null): void {
    const again = restartMs === null ? "" : `; starting it again in ${formatDuration(restartMs)}`;
    this.#tell({ process: name, event: "exit", how: exit.how, restartMs }, `${name} has ended (${exit.how})${again}`);
    if (name !== "master") return this.#reportExit(name, exit);
    if (restartMs === null && !this.#isStopping) void this.#stop(exitCodes.failed);
  }

  /** The master need not wait for silence: we saw the process end, so its tasks can run elsewhere at once. */
  #reportExit(worker: string, exit: ProcessExit): void {
    const boot = exit.readyLine === null ? null : bootIn(exit.readyLine);
    const { signal } = this.#telling;
    if (this.#isStopping || boot === null || this.#client === null) return;
    this.#client.reportExit(worker, boot, { signal }).catch((error: unknown) => {
      if (!signal.aborted)
        this.#context.output.note(`The master was not told: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  #catchSignals(killAll: () => void): () => void {
    const onSignal = (signal: NodeJS.Signals) => {
      if (!this.#isStopping) return void this.#stop(exitCodes.ok);
      this.#context.output.note("Stopping at once.");
      killAll();
      this.#outcome.resolve(signal === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated);
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    for (const signal of signals) process.on(signal, onSignal);
    return () => {
      for (const signal of signals) process.off(signal, onSignal);
    };
  }

  /** Workers first: their last results and their goodbye need a master. */
  async #stop(code: ExitCode): Promise<void> {
    this.#isStopping = true;
    this.#telling.abort();
    const { drainTimeout } = this.#flags;
    if (this.#workers.some((worker) => worker.isAlive)) {
      this.#context.output.note(
        `Stopping: running tasks have ${formatDuration(drainTimeout)} to end; Ctrl-C again stops at once.`,
      );
    }
    await Promise.all(this.#workers.map((worker) => worker.stop(drainTimeout + defaults.stopGraceMs)));
    await this.#master.stop(defaults.stopGraceMs);
    this.#outcome.resolve(code);
  }

  #tell(event: { readonly process: string; readonly [field: string]: unknown }, sentence: string): void {
    const { output } = this.#context;
    if (output.isJson) output.jsonLine(event);
    else output.note(sentence);
  }
}
