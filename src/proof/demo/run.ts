/** One run, of the demo or of the stress test: its folder, its cluster, its audience, and its closing report. */
import { once } from "node:events";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Output } from "../../cli/output.ts";
import type { WorkerView } from "../../model/worker.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import type { LedgerAttempt, LedgerFact } from "../cluster/attemptLines.ts";
import { byAttempt } from "../cluster/attemptLines.ts";
import { Cluster } from "../cluster/cluster.ts";
import { combineLogs, prepareFolder, taskLines, writeMarker } from "../cluster/folder.ts";
import { RunFailed, until } from "../cluster/until.ts";
import { demandCase } from "./check.ts";
import { carriedOut, checkAll } from "./checks.ts";
import type { AskedTask } from "./evidence.ts";
import type { RunPlace } from "./place.ts";
import type { PlannedTask } from "./plan.ts";
import { type Report, reportBody, reportLines, reportMarkdown } from "./report.ts";
import { Screen } from "./screen.ts";
import { lookAt } from "./view.ts";
import { type LiveLeader, LiveStates, readDocuments, readJournal } from "./witness.ts";

/** A master is never away for as long as this in a run; a call that waits longer waits for one that will not come. */
const callMsMax = 60_000;
const settleMsMax = 60_000;

export interface RunOptions {
  readonly command: "demo" | "stress";
  readonly repeat: string;
  readonly directory: string;
  readonly seed: number;
  /** What the masters are called. */
  readonly masters: readonly string[];
  readonly tasks: readonly PlannedTask[];
  readonly capacity: number;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** True to fail a run that did not put every promise to the test. */
  readonly mustTestAll: boolean;
  /** Where the processes live; on this machine if left out. */
  readonly place?: RunPlace | undefined;
  /** True to start the processes again when the run is judged, and to let them run until Ctrl-C. */
  readonly isKept?: boolean | undefined;
}

/** What a process runs, and how much of its sleep is left. */
export interface Work {
  readonly task: string;
  readonly leftMs: number;
}

export class Run {
  readonly cluster: Cluster;
  readonly live = new LiveStates();
  readonly #options: RunOptions;
  readonly #startedAt: number;
  readonly #screen: Screen;
  readonly #client: Outlast;
  /** In the order in which they were submitted. */
  readonly #asked = new Map<string, AskedTask>();
  readonly #story: { at: number; text: string }[] = [];
  readonly #ending = new AbortController();

  private constructor(options: RunOptions, cluster: Cluster, startedAt: number) {
    this.#options = options;
    this.cluster = cluster;
    this.#startedAt = startedAt;
    this.#client = this.#clientOf(cluster.address, callMsMax);
    for (const task of options.tasks) this.#asked.set(task.id, { ...task, acknowledgedAt: null });
    this.#screen = new Screen({
      stream: process.stdout,
      paint: options.output.paint,
      isQuiet: options.output.isJson,
      startedAt,
      look: () =>
        lookAt({
          startedAt,
          now: Date.now(),
          sleepMs: new Map([...this.#asked.values()].map((task) => [task.id, task.sleepMs])),
          states: this.live.states,
          ledger: cluster.ledger(),
          lives: cluster.lives,
          leader: this.leader,
        }),
    });
  }

  /** Makes the folder, lets `play` do what it wants to the cluster, and closes with the report. Leaves no process behind. */
  static async play(options: RunOptions, play: (run: Run) => Promise<void>): Promise<Report> {
    const startedAt = Date.now();
    const marker = { command: options.command, seed: options.seed, startedAt };
    await prepareFolder(options.directory, { ...marker, pid: process.pid });
    const { directory, capacity, masters, place } = options;
    const places = place === undefined ? {} : { host: place.host, logDirectory: join(directory, "logs") };
    const run = new Run(options, await Cluster.create({ directory, capacity, masters, ...places }), startedAt);
    const onInterrupt = () => run.tell("Interrupted: ending every process of this run", "yellow");
    options.signal.addEventListener("abort", onInterrupt, { once: true });
    try {
      await place?.open(join(directory, "logs"), run.signal);
      run.#screen.open();
      void run.live.follow(run.#clientOf(run.cluster.address, Number.POSITIVE_INFINITY), run.#ending.signal);
      const trouble = await run.#unlessInterrupted(play(run).then(() => null, told));
      if (trouble !== null) run.tell(trouble, "red");
      const report = await run.#unlessInterrupted(run.#close(trouble));
      if (options.isKept === true) await run.#keep();
      return report;
    } finally {
      options.signal.removeEventListener("abort", onInterrupt);
      run.#screen.close();
      run.#ending.abort();
      await run.cluster.killAll();
      await place?.close();
      writeMarker(options.directory, { ...marker, pid: null });
    }
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** Of all tasks, those that are not submitted yet included. */
  get taskCount(): number {
    return this.#asked.size;
  }

  /** True when every task is success, as far as the masters have told. */
  get isDone(): boolean {
    return this.live.count("success") === this.taskCount;
  }

  /** True when every task but this one is success. */
  isDoneBut(task: string): boolean {
    const isIts = this.live.states.get(task) === "success";
    return this.live.count("success") - (isIts ? 1 : 0) >= this.taskCount - 1;
  }

  /** False when every task has ended or runs. */
  get hasWaiting(): boolean {
    return this.live.count("success") + this.live.count("running") < this.taskCount;
  }

  /** How long the slowest start of a master has taken so far, in ms. */
  get masterStartMs(): number {
    const starts = this.cluster.lives.filter(({ role }) => role === "master");
    return Math.max(0, ...starts.map(({ startedAt, readyAt }) => (readyAt ?? startedAt) - startedAt));
  }

  /** Who leads, as far as the masters have told. */
  get leader(): (LiveLeader & { readonly process: string }) | null {
    const { leader } = this.live;
    return leader === null ? null : { ...leader, process: this.cluster.masters.get(leader.address) ?? leader.address };
  }

  /** How a master stands by its own word. */
  async roleOf(master: string): Promise<string> {
    const client = this.#clientOf(this.cluster.addressOf(master), callMsMax);
    return (await client.status({ signal: this.signal })).role;
  }

  /** Says what happens: on the screen, in the report, and in the run's own log. */
  tell(text: string, colour: "red" | "green" | "yellow" | null = null): void {
    const at = Date.now();
    this.#story.push({ at, text });
    const entry = { level: "info", time: at, process: this.#options.command, msg: text };
    appendFileSync(this.#ownLogPath, `${JSON.stringify(entry)}\n`);
    this.#screen.tell(colour === null ? text : this.#options.output.paint(colour, text), at);
  }

  /** Serves the finished run at the addresses that it had, until Ctrl-C. */
  async #keep(): Promise<void> {
    const { directory, capacity, masters, output, signal } = this.#options;
    const ports = masters.map((master) => this.cluster.portOf(master));
    const again = await Cluster.create({ directory, capacity, masters, ports });
    try {
      await Promise.all(this.cluster.names().map((name) => again.start(name)));
      output.note(`The finished run is served at ${again.addressOf(masters[0] ?? "master")} until Ctrl-C.`);
      if (!signal.aborted) await once(signal, "abort");
    } finally {
      await again.killAll();
    }
  }

  /** Starts the masters and these workers. */
  async startAll(workers: readonly string[]): Promise<void> {
    const { masters, capacity, seed } = this.#options;
    const [first, ...others] = masters;
    // The first one leads; whoever comes later finds a leader and stands by.
    if (first !== undefined) await this.cluster.start(first);
    if (first !== undefined && this.#options.place === undefined)
      this.tell(`The dashboard is at ${this.cluster.addressOf(first)}`, "green");
    await Promise.all([...others, ...workers].map((name) => this.cluster.start(name)));
    const mastersText = others.length === 0 ? "One master" : `${masters.length} masters`;
    const capacityText = capacity === 1 ? "one task" : `${capacity} tasks`;
    this.tell(
      `${mastersText} and ${workers.length} workers are up, each worker takes ${capacityText} at a time (seed ${seed})`,
    );
  }

  /** Submits tasks. If the answer is lost with a master, the same ids are submitted again, which creates no task twice. */
  async submit(tasks: readonly PlannedTask[], priority = 0): Promise<void> {
    for (const task of tasks) this.#asked.set(task.id, { ...task, acknowledgedAt: null });
    await this.#client.submitAll(
      tasks.map(({ id, sleepMs }) => ({ id, kind: "sleep", input: { seconds: sleepMs / 1000 }, priority })),
      { signal: this.signal },
    );
    const acknowledgedAt = Date.now();
    for (const task of tasks) this.#asked.set(task.id, { ...task, acknowledgedAt });
  }

  /** The living process that runs this task now, by its own word; null if none does. */
  workerOf(task: string): string | null {
    for (const [process, work] of this.work()) if (work.some((one) => one.task === task)) return process;
    return null;
  }

  /** What each living process runs now, by its own word, the one with the most sleep left first. */
  work(): ReadonlyMap<string, readonly Work[]> {
    const now = Date.now();
    const lives = new Map(this.cluster.lives.map((life) => [life.process, life]));
    const running = this.attempts(({ process, life }) => {
      const last = lives.get(process);
      return last?.number === life && last.endedAt === null;
    }).flatMap(({ task, starts, ends }) => {
      const [start] = starts;
      if (start === undefined || ends.length > 0) return [];
      return [{ process: start.process, task, leftMs: this.#sleepMs(task) - (now - start.at) }];
    });
    return Map.groupBy(
      running.sort((a, b) => b.leftMs - a.leftMs),
      ({ process }) => process,
    );
  }

  attempts(isWanted: (fact: LedgerFact) => boolean): LedgerAttempt[] {
    return [...byAttempt(this.cluster.ledger().filter(isWanted)).values()];
  }

  async until<Value>(what: string, msMax: number, look: () => Value | false | null | undefined): Promise<Value> {
    return until(what, msMax, look, this.signal);
  }

  #clientOf(masters: string, retryForMs: number): Outlast {
    return createClient({ masters, retryForMs, token: this.#options.place?.token ?? null });
  }

  #sleepMs(id: string): number {
    return this.#asked.get(id)?.sleepMs ?? 0;
  }

  get #ownLogPath(): string {
    return join(this.#options.directory, `${this.#options.command}.log`);
  }

  async #unlessInterrupted<Value>(work: Promise<Value>): Promise<Value> {
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(this.signal.reason);
    if (this.signal.aborted) onAbort();
    this.signal.addEventListener("abort", onAbort, { once: true });
    // Whichever loses the race may still fail, with nobody left to listen.
    work.catch(() => {});
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.signal.removeEventListener("abort", onAbort);
    }
  }

  /** Waits until nothing is on its way any more, reads the evidence, ends the cluster, judges. */
  async #close(trouble: string | null): Promise<Report> {
    const { directory, command, repeat, seed, output, mustTestAll } = this.#options;
    if (trouble === null) {
      await until(
        "all workers to be idle",
        settleMsMax,
        async () => (await this.#client.workers()).every(isIdle),
        this.signal,
      );
    }
    const documents = await readDocuments(this.#client);
    // Before the journal is read: when all masters stop, one may lead for a moment after another has resigned.
    const leaderFacts = this.cluster.leaderFacts();
    const journal = await readJournal(this.#client);
    const { place } = this.#options;
    const placeChecks = (await place?.checks(this.cluster)) ?? [];
    const tasksText = (await place?.tasksText()) ?? taskLines(documents);
    this.#ending.abort();
    this.#screen.close();
    await this.cluster.stopAll();
    const evidence = {
      asked: [...this.#asked.values()],
      documents,
      journal: journal.changes,
      markers: journal.markers,
      ledger: this.cluster.ledger(),
      leaderFacts,
      lives: this.cluster.lives,
      masters: this.cluster.masters,
    };
    const judged = checkAll(evidence);
    const checks = [...(mustTestAll ? judged.map(demandCase) : judged), ...placeChecks, carriedOut(trouble)];
    const report: Report = {
      command,
      repeat,
      directory: shownPath(directory),
      seed,
      startedAt: this.#startedAt,
      endedAt: Date.now(),
      checks,
      story: this.#story,
      evidence,
    };
    writeFileSync(join(directory, "tasks.txt"), tasksText);
    writeFileSync(join(directory, "combined.log"), combineLogs(this.#logs()));
    writeFileSync(join(directory, "report.md"), reportMarkdown(report));
    if (output.isJson) output.document(reportBody(report));
    else for (const line of reportLines(report, output.paint, output.columnsMax)) output.line(line);
    return report;
  }

  #logs(): { process: string; text: string }[] {
    const own = { process: this.#options.command, text: readFileSync(this.#ownLogPath, "utf8") };
    return [
      own,
      ...this.cluster
        .names()
        .map((name) => ({ process: name, text: readFileSync(this.cluster.logPath(name), "utf8") })),
    ];
  }
}

/** What went wrong, if it is of the sort that leaves evidence to be looked at; anything else goes on its way up. */
function told(error: unknown): string {
  if (error instanceof RunFailed) return error.message;
  throw error;
}

function isIdle(worker: WorkerView): boolean {
  return worker.state !== "connected" || worker.running === 0;
}

/** As short as it can be said from where the user stands. */
function shownPath(path: string): string {
  const fromHere = relative("", path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
