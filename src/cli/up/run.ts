/** Runs `outlast up`: masters and workers as child processes, until Ctrl-C. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { OutlastError } from "../../model/errors.ts";
import { defaults } from "../../model/limits.ts";
import type { Outlast } from "../../sdk/client.ts";
import { claimDirectory } from "../../worker/directoryClaim.ts";
import type { Colour } from "../colour.ts";
import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { LocalFailure, UsageError } from "../failure.ts";
import type { UpFlags } from "../flags.ts";
import { findFreePorts, findFreePortsFrom } from "../freePort.ts";
import { makeDirectory } from "../makeDirectory.ts";
import { bootIn } from "../readyLine.ts";
import { clusterArguments, containerArguments } from "../serverOptions.ts";
import { readTls } from "../tlsFiles.ts";
import { workerTokenVariable } from "../workerToken.ts";
import { type ProcessExit, Supervised } from "./supervised.ts";

const lineColours: readonly Colour[] = ["cyan", "green", "yellow", "blue", "magenta"];

export async function runUp(context: Context, flags: UpFlags): Promise<ExitCode> {
  readTls(flags);
  if (flags.masterCount > 1 && flags.store?.startsWith("memory:") === true)
    throw new UsageError("Several masters need a shared store; with memory: each would have its own.");
  const release = await claimData(flags.data);
  try {
    const cluster = new LocalCluster(context, flags, await choosePorts(flags));
    return await cluster.run();
  } finally {
    await release();
  }
}

/** A second `up` in the same directory would start masters and workers with the same names. @throws LocalFailure */
async function claimData(data: string): Promise<() => Promise<void>> {
  const directory = join(data, "up");
  const hint =
    "`outlast up` runs there already. Give this one its own --data, or add to that one with `outlast master` and `outlast worker`.";
  // The data directory itself is not only ours: tasks may have another user, who must get to their files.
  await makeDirectory(data);
  await makeDirectory(directory, 0o700);
  return claimDirectory(directory, hint).catch((error: unknown) => {
    throw LocalFailure.from(error);
  });
}

/** A single master uses the given port or fails; several masters use the next free ports. */
async function choosePorts({ masterCount, port, address }: UpFlags): Promise<readonly number[]> {
  if (port === 0) return findFreePorts(masterCount);
  return masterCount === 1 ? [port] : findFreePortsFrom(port, masterCount, address);
}

class LocalCluster {
  readonly #context: Context;
  readonly #flags: UpFlags;
  /** Base URLs of the masters, separated by commas. */
  readonly #addresses: string;
  readonly #masters: readonly Supervised[];
  readonly #workers: readonly Supervised[];
  readonly #prefixLength: number;
  /**
   * For its own workers where it was given no token: they need none while the cluster is open, and the first user must not cut them off.
   * It is in no file, since tasks could read that.
   */
  readonly #workerToken = randomBytes(32).toString("base64url");
  /** Aborts reports to the masters. */
  readonly #telling = new AbortController();
  readonly #outcome = Promise.withResolvers<ExitCode>();
  #client: Outlast | null = null;
  #areWorkersStarted = false;
  #wasWorkerReady = false;
  #isStopping = false;

  constructor(context: Context, flags: UpFlags, ports: readonly number[]) {
    this.#context = context;
    this.#flags = flags;
    const host = flags.address.includes(":") ? `[${flags.address}]` : flags.address;
    this.#addresses = ports
      .map((port) => `${flags.tlsCert === undefined ? "http" : "https"}://${host}:${port}`)
      .join(",");
    const masters = ports.map((port, index) => ({ name: ports.length === 1 ? "master" : `master-${index + 1}`, port }));
    const workers = Array.from({ length: flags.workers }, (_, index) => `worker-${index + 1}`);
    this.#prefixLength = Math.max(...[...masters.map(({ name }) => name), ...workers].map((name) => name.length));
    this.#masters = masters.map(({ name, port }, index) =>
      this.#supervise(name, index, this.#masterArguments(name, port), workerTokenVariable),
    );
    this.#workers = workers.map((name, index) =>
      this.#supervise(name, masters.length + index, this.#workerArguments(name), "OUTLAST_TOKEN"),
    );
  }

  async run(): Promise<ExitCode> {
    // No child may outlive this process, however it ends.
    const killAll = () => {
      for (const one of this.#all()) one.kill();
    };
    process.on("exit", killAll);
    const release = this.#catchSignals(killAll);
    this.#client = await this.#context.client({
      masters: this.#addresses,
      ...(this.#context.token === null && { token: this.#workerToken }),
      onRetry: () => {},
      retryForMs: defaults.clientRetryForMs,
    });
    for (const master of this.#masters) master.start();
    try {
      return await this.#outcome.promise;
    } finally {
      release();
      process.off("exit", killAll);
    }
  }

  /** Any master shows the same. */
  get #firstAddress(): string {
    return this.#addresses.split(",")[0] ?? "";
  }

  #all(): readonly Supervised[] {
    return [...this.#masters, ...this.#workers];
  }

  #masterArguments(name: string, port: number): string[] {
    const { address, data, webhookPrivate, otlpEndpoint } = this.#flags;
    const where = ["--name", name, "--address", address, "--port", String(port), "--data", data];
    return [
      "master",
      ...where,
      ...this.#tlsArguments(),
      ...(this.#flags.behindProxy === true ? ["--behind-proxy"] : []),
      ...(this.#flags.hostNames === undefined ? [] : ["--host-names", this.#flags.hostNames.join(",")]),
      ...clusterArguments(this.#flags),
      ...(webhookPrivate === true ? ["--webhook-private"] : []),
      ...(otlpEndpoint === undefined ? [] : ["--otlp-endpoint", otlpEndpoint]),
      "--stop-on-stdin-end",
      ...this.#logArguments(),
    ];
  }

  #workerArguments(name: string): string[] {
    const {
      capacity,
      queues,
      data,
      drainTimeout,
      tasks = [],
      remote = [],
      runAs,
      httpPrivate,
      jobsUseS3,
      otlpEndpoint,
    } = this.#flags;
    return [
      "worker",
      ...["--masters", this.#addresses, "--name", name, "--capacity", String(capacity), "--data", data],
      ...["--drain-timeout", `${drainTimeout}ms`],
      ...["--queues", queues.join(",")],
      ...(tasks.length === 0 ? [] : ["--tasks", ...tasks]),
      ...(runAs === undefined ? [] : ["--run-as", runAs]),
      ...(httpPrivate === true ? ["--http-private"] : []),
      ...(remote.length === 0 ? [] : ["--remote", ...remote]),
      ...containerArguments(this.#flags),
      ...(jobsUseS3 === true ? ["--jobs-use-s3"] : []),
      ...(otlpEndpoint === undefined ? [] : ["--otlp-endpoint", otlpEndpoint]),
      ...this.#trustArguments(),
      "--stop-on-stdin-end",
      ...this.#logArguments(),
    ];
  }

  #tlsArguments(): string[] {
    const { tlsCert, tlsKey, tlsClientCa, tlsClients } = this.#flags;
    const own = tlsCert === undefined || tlsKey === undefined ? [] : ["--tls-cert", tlsCert, "--tls-key", tlsKey];
    const asked = tlsClientCa === undefined ? [] : ["--tls-client-ca", tlsClientCa];
    const who = tlsClients === undefined ? [] : ["--tls-clients", tlsClients];
    return [...own, ...asked, ...who, ...this.#trustArguments()];
  }

  #trustArguments(): string[] {
    const { tlsCa, tlsClientCert: cert, tlsClientKey: key } = this.#context.options;
    const shown = cert === undefined || key === undefined ? [] : ["--tls-client-cert", cert, "--tls-client-key", key];
    return [...(tlsCa === undefined ? [] : ["--tls-ca", tlsCa]), ...shown];
  }

  #logArguments(): string[] {
    const format = this.#flags.logFormat ?? (this.#context.output.isJson ? "json" : "pretty");
    return ["--log-level", this.#flags.logLevel, "--log-format", format];
  }

  #supervise(name: string, index: number, childArguments: readonly string[], ownTokenVariable: string): Supervised {
    const { token, output } = this.#context;
    const { store, blobs } = this.#flags;
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...(token === null ? { [ownTokenVariable]: this.#workerToken } : { OUTLAST_TOKEN: token }),
      // Not as an argument: a process list would show the address with its credentials.
      ...(store === undefined ? {} : { OUTLAST_STORE: store }),
      ...(blobs === undefined ? {} : { OUTLAST_BLOBS: blobs }),
      ...(output.areNotesPainted ? { FORCE_COLOR: "1" } : {}),
    };
    // The children must not use what the user has set for other commands.
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
      isRestarted: (exit) => this.#isRestarted(name, exit),
      onExit: (exit, restartMs) => this.#onExit(name, exit, restartMs),
    });
  }

  /**
   * A master that never became ready is not restarted: its port is in use, or its store refused. Nor are workers whose command line is
   * wrong from the start, such as those with a task file that cannot be loaded.
   */
  #isRestarted(name: string, { code, readyLine }: ProcessExit): boolean {
    if (!this.#isMaster(name)) return readyLine !== null || this.#wasWorkerReady || code !== exitCodes.usage;
    return this.#areWorkersStarted || this.#masters.some((master) => master.isAlive);
  }

  #onReady(name: string, line: string): void {
    if (!this.#isMaster(name)) this.#wasWorkerReady = true;
    this.#tell({ process: name, event: "ready" }, `${name} is ready`);
    if (!this.#isMaster(name) || this.#areWorkersStarted || this.#isStopping) return;
    this.#areWorkersStarted = true;
    const isDefault = this.#addresses === `http://${defaults.address}:${defaults.port}`;
    const where = isDefault ? "" : ` --masters ${this.#addresses}`;
    this.#context.output.note(
      `${line}\nDashboard: ${this.#firstAddress}\nIn another terminal: outlast${where} submit sleep 5; Ctrl-C here stops everything.`,
    );
    for (const worker of this.#workers) worker.start();
  }

  #onExit(name: string, exit: ProcessExit, restartMs: number | null): void {
    const again = restartMs === null ? "" : `; starting it again in ${formatDuration(restartMs)}`;
    this.#tell({ process: name, event: "exit", how: exit.how, restartMs }, `${name} has ended (${exit.how})${again}`);
    if (!this.#isMaster(name)) this.#reportExit(name, exit);
    if (restartMs === null && !this.#isStopping)
      void this.#stop(this.#isMaster(name) ? exitCodes.failed : exitCodes.usage);
  }

  #isMaster(name: string): boolean {
    return this.#masters.some((master) => master.name === name);
  }

  /** This process saw the worker exit, so the masters can run its tasks elsewhere at once. */
  #reportExit(worker: string, exit: ProcessExit): void {
    const boot = exit.readyLine === null ? null : bootIn(exit.readyLine);
    const { signal } = this.#telling;
    if (this.#isStopping || boot === null || this.#client === null) return;
    this.#client.reportExit(worker, boot, { signal }).catch((error: unknown) => {
      // Once there are users this is not for everybody. The masters then find out by themselves.
      const isRefused = error instanceof OutlastError && error.code === "forbidden";
      if (!signal.aborted && !isRefused)
        this.#context.output.note(
          `The masters could not be told of the exit: ${error instanceof Error ? error.message : String(error)}`,
        );
    });
  }

  #catchSignals(killAll: () => void): () => void {
    const onSignal = (signal: NodeJS.Signals) => {
      if (!this.#isStopping) return void this.#stop(exitCodes.ok);
      this.#context.output.note("Stopping now.");
      killAll();
      this.#outcome.resolve(signal === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated);
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    for (const signal of signals) process.on(signal, onSignal);
    return () => {
      for (const signal of signals) process.off(signal, onSignal);
    };
  }

  /** Workers first: they need a master for their last results and to detach. */
  async #stop(code: ExitCode): Promise<void> {
    this.#isStopping = true;
    this.#telling.abort();
    const { drainTimeout } = this.#flags;
    if (this.#workers.some((worker) => worker.isAlive)) {
      this.#context.output.note(
        `Stopping: running tasks have ${formatDuration(drainTimeout)} to finish. Press Ctrl-C again to stop now.`,
      );
    }
    await Promise.all(this.#workers.map((worker) => worker.stop(drainTimeout + defaults.stopGraceMs)));
    await Promise.all(this.#masters.map((master) => master.stop(defaults.stopGraceMs)));
    this.#outcome.resolve(code);
  }

  #tell(event: { readonly process: string; readonly [field: string]: unknown }, sentence: string): void {
    const { output } = this.#context;
    if (output.isJson) output.jsonLine(event);
    else output.note(sentence);
  }
}
