/** A real cluster on this machine: masters on one store and any number of workers as processes, to be started, shot and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findFreePorts } from "../../cli/freePort.ts";
import { defaults } from "../../model/limits.ts";
import { type LedgerFact, readLedger } from "./attemptLines.ts";
import type { ClusterHost } from "./clusterHost.ts";
import { type LeaderFact, readLeaderFacts } from "./leaderLines.ts";
import type { Life } from "./lives.ts";

/** To end what hangs: a master may have a million tasks to load on a busy machine. */
const readyMsMax = 120_000;
const stopMsMax = 10_000;
const signalRetryMs = 50;

const program = fileURLToPath(new URL("../../../bin/outlast.js", import.meta.url));

export interface ClusterOptions {
  /** Logs go here; stores and outboxes into `data/` inside it. */
  readonly directory: string;
  readonly capacity: number;
  /** What the masters are called; `master` alone if left out. Everything that is started under another name is a worker. */
  readonly masters?: readonly string[];
  /** Where the masters listen, in their order; on free ports if left out. */
  readonly ports?: readonly number[];
  /** Where a worker of this name is told to look for masters; at their own addresses if left out. */
  readonly mastersFor?: (worker: string) => readonly string[];
  /** Added to the environment of every process. */
  readonly environment?: { readonly [name: string]: string };
  /** More options for `outlast master`. */
  readonly masterArguments?: readonly string[];
  /** More options for `outlast worker`. */
  readonly workerArguments?: readonly string[];
  /** Where each process lives, if not at this machine's own address; and what is put before its command so that it does. */
  readonly network?: {
    addressOf(process: string): string;
    launcherOf(process: string): readonly string[];
  };
  /** Where the masters keep their store, if not in `data/` too. */
  readonly masterData?: string;
  /** The `bin/outlast.js` that a process is started with, asked at each start; this checkout's own if left out. */
  readonly programOf?: (process: string) => string;
  /** Where the processes live, if not on this machine. */
  readonly host?: ClusterHost;
  /** Where the logs go, if not into `directory` itself. */
  readonly logDirectory?: string;
}

/** A life that can still change, with the process behind it. */
interface Living {
  life: { -readonly [Key in keyof Life]: Life[Key] };
  /** Where its part of the process's log begins. */
  readonly logOffset: number;
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

export class Cluster {
  readonly #options: ClusterOptions;
  /** By name of the master; the same in all its lives. */
  readonly #ports: ReadonlyMap<string, number>;
  readonly #lives: Living[] = [];
  /** The last life of each process: only that one can still be alive. */
  readonly #latest = new Map<string, Living>();
  #isOver = false;

  private constructor(options: ClusterOptions, ports: ReadonlyMap<string, number>) {
    this.#options = options;
    this.#ports = ports;
  }

  static async create(options: ClusterOptions): Promise<Cluster> {
    mkdirSync(join(options.directory, "data"), { recursive: true });
    if (options.logDirectory !== undefined) mkdirSync(options.logDirectory, { recursive: true });
    const { masters = ["master"] } = options;
    const ports = options.ports ?? (await findFreePorts(masters.length));
    return new Cluster(options, new Map(masters.map((master, index) => [master, ports[index] ?? 0])));
  }

  /** Base URLs of the masters, separated by commas. */
  get address(): string {
    return [...this.#ports.keys()].map((master) => this.addressOf(master)).join(",");
  }

  /** What the masters are called, by the base URLs that they advertise. */
  get masters(): ReadonlyMap<string, string> {
    const { host } = this.#options;
    return new Map(
      [...this.#ports.keys()].map((master) => [host?.advertisedUrlOf(master) ?? this.addressOf(master), master]),
    );
  }

  /** Where clients on this machine reach a master. */
  addressOf(master: string): string {
    return `http://${this.#hostOf(master)}:${this.portOf(master)}`;
  }

  portOf(master: string): number {
    const port = this.#ports.get(master);
    if (port === undefined) throw new Error(`There is no master called ${master}.`);
    return port;
  }

  /** Every life so far, in the order of their starts. */
  get lives(): readonly Life[] {
    return this.#lives.map((living) => living.life);
  }

  /** Starts the master or worker of this name; resolves when it says that it is ready. */
  async start(process: string): Promise<void> {
    await withinReady(process, this.launch(process).ready, readyMsMax);
  }

  /** Starts without waiting. A master keeps its port and its store over its lives, a worker its name and its outbox. */
  launch(process: string): { readonly life: Life; readonly ready: Promise<void> } {
    // Whoever is still acting when the run is broken off must not leave a process behind that nobody knows of.
    if (this.#isOver) throw new Error("The run is over.");
    if (this.isUp(process)) throw new Error(`${process} is running already.`);
    const role = this.#ports.has(process) ? "master" : "worker";
    const logPath = this.logPath(process);
    const logOffset = sealTornLine(logPath);
    const log = openSync(logPath, "a");
    const [command = "", ...rest] = this.#command(process, role);
    const child = spawn(command, rest, {
      // Its own process group: Ctrl-C in the terminal is for the run alone, which then ends its processes itself.
      detached: true,
      // Our end of its stdin closes when this process ends, however it ends: then the child stops too.
      stdio: ["pipe", "pipe", log],
      env: { ...cleanEnvironment(), ...this.#options.environment, ...this.#options.host?.environment },
    });
    closeSync(log);
    child.stdin?.on("error", () => {});
    const number = (this.#latest.get(process)?.life.number ?? 0) + 1;
    const life: Living["life"] = {
      process,
      role,
      number,
      startedAt: Date.now(),
      readyAt: null,
      endedAt: null,
      cause: null,
      exit: null,
    };
    const ended = new Promise<void>((resolve) => {
      child.once("exit", (code, signal) => {
        life.endedAt ??= Date.now();
        life.cause ??= "itself";
        life.exit = signal ?? `exit code ${code}`;
        resolve();
      });
      child.once("error", (error) => {
        life.endedAt ??= Date.now();
        life.cause ??= "itself";
        life.exit = error.message;
        resolve();
      });
    });
    const ready = this.#whenReady(child, life, ended);
    // Who only launches does not wait; a process that dies before it is ready shows in its life.
    ready.catch(() => {});
    const living = { life, logOffset, child, ready, ended };
    this.#lives.push(living);
    this.#latest.set(process, living);
    return { life, ready };
  }

  /** SIGKILL, to all of them in the same moment; resolves when they are gone. */
  async kill(...processes: readonly string[]): Promise<void> {
    const living = processes.flatMap((process) => this.#living(process));
    await Promise.all(living.map((one) => this.#end(one, "SIGKILL")));
  }

  /** SIGTERM, and SIGKILL to what is still there after a while; resolves when it is gone. */
  async stop(process: string): Promise<void> {
    await Promise.all(this.#living(process).map((living) => this.#stopOrKill(living)));
  }

  /** Any signal that does not end it: SIGSTOP, SIGCONT. */
  signal(process: string, signal: NodeJS.Signals): void {
    for (const living of this.#living(process)) living.child.kill(signal);
  }

  /** Ends all that runs: politely, then, after a while, for good. */
  async stopAll(): Promise<void> {
    this.#isOver = true;
    // Workers first: their goodbye needs a master.
    await Promise.all(this.#all("worker").map((living) => this.#stopOrKill(living)));
    await Promise.all(this.#all("master").map((living) => this.#stopOrKill(living)));
  }

  /** Ends all that runs, now. */
  async killAll(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#all("worker"), ...this.#all("master")].map((living) => this.#end(living, "SIGKILL")));
  }

  isUp(process: string): boolean {
    return this.#living(process).length > 0;
  }

  /** True if it runs and has said that it is ready. */
  isReady(process: string): boolean {
    const life = this.#living(process)[0]?.life;
    return life !== undefined && life.readyAt !== null && life.endedAt === null;
  }

  /** The process id of a running process. */
  pid(process: string): number | null {
    return this.#living(process)[0]?.child.pid ?? null;
  }

  /** Names of all processes that ever ran, the masters first. */
  names(): string[] {
    return [...this.#latest.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  }

  logPath(process: string): string {
    return join(this.#options.logDirectory ?? this.#options.directory, `${process}.log`);
  }

  /** Where the masters keep their store. */
  get masterData(): string {
    return this.#options.masterData ?? this.#data;
  }

  /** Where a worker keeps its outbox and its spool. */
  workerData(name: string): string {
    return join(this.#data, "workers", name);
  }

  #hostOf(process: string): string {
    return this.#options.network?.addressOf(process) ?? defaults.address;
  }

  get #data(): string {
    return join(this.#options.directory, "data");
  }

  /** What the workers wrote down of the attempts they ran, up to now. */
  ledger(): LedgerFact[] {
    return this.names()
      .filter((name) => !this.#ports.has(name))
      .flatMap((name) => this.#read(name, readLedger));
  }

  /** What masters and workers wrote down of who leads, up to now. */
  leaderFacts(): LeaderFact[] {
    return this.names().flatMap((name) => this.#read(name, readLeaderFacts));
  }

  /** Reads a process's log, life by life. */
  #read<Fact>(process: string, read: (text: string, process: string, life: number) => Fact[]): Fact[] {
    const log = readFileSync(this.logPath(process));
    const lives = this.#lives.filter((living) => living.life.process === process);
    return lives.flatMap(({ life, logOffset }, index) => {
      const text = log.subarray(logOffset, lives[index + 1]?.logOffset ?? log.length).toString("utf8");
      return read(text, process, life.number);
    });
  }

  #command(process: string, role: Life["role"]): readonly string[] {
    const { host, capacity, network } = this.#options;
    if (host !== undefined) {
      const port = this.#ports.get(process) ?? null;
      return host.command(process, role, { port, capacity, masters: [...this.#ports.keys()] });
    }
    const launcher = network?.launcherOf(process) ?? [];
    const bin = this.#options.programOf?.(process) ?? program;
    return [...launcher, globalThis.process.execPath, bin, ...this.#arguments(process)];
  }

  #arguments(process: string): string[] {
    const port = this.#ports.get(process);
    const data = port === undefined ? this.#data : this.masterData;
    const shared = ["--name", process, "--data", data, "--log-format", "json", "--stop-on-stdin-end"];
    const { capacity, mastersFor, masterArguments = [], workerArguments = [] } = this.#options;
    if (port !== undefined) {
      return ["master", "--address", this.#hostOf(process), "--port", String(port), ...shared, ...masterArguments];
    }
    const masters = mastersFor?.(process).join(",") ?? this.address;
    return ["worker", "--masters", masters, "--capacity", String(capacity), ...shared, ...workerArguments];
  }

  async #end(living: Living, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const { life, child, ended } = living;
    if (life.exit !== null) return;
    if (signal === "SIGKILL") {
      // Taken before the signal goes out: until this instant the process certainly lived.
      life.endedAt ??= Date.now();
      life.cause ??= "killed";
    } else {
      life.cause ??= "stopped";
    }
    const { host } = this.#options;
    if (host === undefined) child.kill(signal);
    else await this.#signalAt(host, living, signal);
    await ended;
    if (host === undefined || life.endedAt === null) return;
    // A signal takes a while to reach another host, which knows better when the process was gone.
    const endedAt = await host.endedAt(life.process);
    if (endedAt !== null && endedAt > life.endedAt) life.endedAt = endedAt;
  }

  /** A life that has only just begun may not be there yet on another host: it is signalled as soon as it is. */
  async #signalAt(host: ClusterHost, { life, ended }: Living, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    while (life.exit === null && !(await host.signal(life.process, signal)))
      await Promise.race([ended, setTimeout(signalRetryMs)]);
  }

  async #stopOrKill(living: Living): Promise<void> {
    const timer = globalThis.setTimeout(() => void this.#end(living, "SIGKILL"), stopMsMax);
    await this.#end(living, "SIGTERM");
    clearTimeout(timer);
  }

  async #whenReady(child: ChildProcess, life: Living["life"], ended: Promise<void>): Promise<void> {
    const line = new Promise<void>((resolve) => {
      let text = "";
      child.stdout?.setEncoding("utf8");
      child.stdout?.on("data", (piece: string) => {
        if (life.readyAt !== null) return;
        text += piece;
        if (!/^outlast .*ready/m.test(text)) return;
        life.readyAt = Date.now();
        resolve();
      });
    });
    const died = ended.then(() => {
      if (life.readyAt === null)
        throw new Error(`${life.process} ended before it was ready (${life.exit}); see ${this.logPath(life.process)}.`);
    });
    await Promise.race([line, died]);
  }

  #living(process: string): Living[] {
    const living = this.#latest.get(process);
    return living === undefined || living.life.exit !== null ? [] : [living];
  }

  #all(role: Life["role"]): Living[] {
    return [...this.#latest.values()].filter(({ life }) => life.role === role && life.exit === null);
  }
}

async function withinReady(process: string, ready: Promise<void>, msMax: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = globalThis.setTimeout(
    () => reject(new Error(`${process} was not ready after ${msMax / 1000} s.`)),
    msMax,
  );
  try {
    await Promise.race([ready, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A killed process may leave half a line; the next life must begin on a fresh one. Returns the length of the file. */
function sealTornLine(path: string): number {
  if (!existsSync(path)) return 0;
  const length = statSync(path).size;
  if (length === 0) return 0;
  const file = openSync(path, "a+");
  try {
    const last = new Uint8Array(1);
    readSync(file, last, 0, 1, length - 1);
    if (last[0] === 0x0a) return length;
    writeSync(file, "\n");
    return length + 1;
  } finally {
    closeSync(file);
  }
}

/** The run's processes must not be led elsewhere by what the user has set for real masters. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) if (name.startsWith("OUTLAST_")) delete environment[name];
  return environment;
}
