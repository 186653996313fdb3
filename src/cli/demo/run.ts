/** One run, of the demo or of the stress test: its folder, its cluster, its audience, and its closing report. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { WorkerView } from "../../model/worker.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import type { LedgerAttempt, LedgerFact } from "../cluster/attemptLines.ts";
import { byAttempt } from "../cluster/attemptLines.ts";
import { Cluster } from "../cluster/cluster.ts";
import { combineLogs, prepareFolder, taskLines, writeMarker } from "../cluster/folder.ts";
import { RunFailed, until } from "../cluster/until.ts";
import type { Output } from "../output.ts";
import { type CheckId, carriedOut, checkAll } from "./checks.ts";
import type { PlannedTask } from "./plan.ts";
import { type Report, reportBody, reportLines, reportMarkdown } from "./report.ts";
import { Screen } from "./screen.ts";
import { lookAt } from "./view.ts";
import { LiveStates, readDocuments, readJournal } from "./witness.ts";

/** A master is never away for as long as this in a run; a call that waits longer waits for one that will not come. */
const callMsMax = 60_000;
const settleMsMax = 60_000;

export interface RunOptions {
  readonly command: "demo" | "stress";
  readonly repeat: string;
  readonly directory: string;
  readonly seed: number;
  readonly tasks: readonly PlannedTask[];
  readonly capacity: number;
  readonly output: Output;
  readonly signal: AbortSignal;
}

export class Run {
  readonly cluster: Cluster;
  readonly live = new LiveStates();
  readonly #options: RunOptions;
  readonly #startedAt: number;
  readonly #screen: Screen;
  readonly #client: Outlast;
  readonly #acknowledged = new Map<string, number>();
  readonly #story: { at: number; text: string }[] = [];
  readonly #ending = new AbortController();

  private constructor(options: RunOptions, cluster: Cluster, startedAt: number) {
    this.#options = options;
    this.cluster = cluster;
    this.#startedAt = startedAt;
    this.#client = createClient({ masters: cluster.address, retryForMs: callMsMax });
    const sleepMs = new Map(options.tasks.map((task) => [task.id, task.sleepMs]));
    this.#screen = new Screen({
      stream: process.stdout,
      paint: options.output.paint,
      isQuiet: options.output.isJson,
      startedAt,
      look: () =>
        lookAt({
          startedAt,
          now: Date.now(),
          sleepMs,
          states: this.live.states,
          ledger: cluster.ledger(),
          lives: cluster.lives,
        }),
    });
  }

  /** Makes the folder, lets `play` do what it wants to the cluster, and closes with the report. Leaves no process behind. */
  static async play(
    options: RunOptions,
    play: (run: Run) => Promise<void>,
    mustShow: readonly CheckId[],
  ): Promise<Report> {
    const startedAt = Date.now();
    const marker = { command: options.command, seed: options.seed, startedAt };
    prepareFolder(options.directory, { ...marker, pid: process.pid });
    const run = new Run(
      options,
      await Cluster.create({ directory: options.directory, capacity: options.capacity }),
      startedAt,
    );
    try {
      run.#screen.open();
      void run.live.follow(
        createClient({ masters: run.cluster.address, retryForMs: Number.POSITIVE_INFINITY }),
        run.#ending.signal,
      );
      const trouble = await run.#unlessInterrupted(play(run).then(() => null, told));
      if (trouble !== null) run.tell(trouble, "red");
      return await run.#unlessInterrupted(run.#close(mustShow, trouble));
    } finally {
      run.#screen.close();
      run.#ending.abort();
      await run.cluster.killAll();
      writeMarker(options.directory, { ...marker, pid: null });
    }
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** True when every task is success, as far as the masters have told. */
  get isDone(): boolean {
    return this.live.count("success") === this.#options.tasks.length;
  }

  /** Says what happens: on the screen, in the report, and in the run's own log. */
  tell(text: string, colour: "red" | "green" | "yellow" | null = null): void {
    const at = Date.now();
    this.#story.push({ at, text });
    const entry = { level: "info", time: at, process: this.#options.command, msg: text };
    appendFileSync(this.#ownLogPath, `${JSON.stringify(entry)}\n`);
    this.#screen.tell(colour === null ? text : this.#options.output.paint(colour, text), at);
  }

  /** Puts tasks in. If the answer is lost with a master, the same ids are asked for again: that is one task each. */
  async submit(tasks: readonly PlannedTask[]): Promise<void> {
    await this.#client.submitAll(
      tasks.map(({ id, sleepMs }) => ({ id, kind: "sleep", input: { seconds: sleepMs / 1000 } })),
      { signal: this.signal },
    );
    const at = Date.now();
    for (const { id } of tasks) this.#acknowledged.set(id, at);
  }

  /** What a process runs now, by its own word, the one with the most sleep left first. */
  runningOn(process: string): { task: string; leftMs: number }[] {
    const life = this.cluster.lives.findLast((other) => other.process === process);
    if (life === undefined || life.endedAt !== null) return [];
    const now = Date.now();
    return this.attempts((fact) => fact.process === process && fact.life === life.number)
      .filter((attempt) => attempt.ends.length === 0)
      .map(({ task, starts }) => ({ task, leftMs: this.#sleepMs(task) - (now - (starts[0]?.at ?? now)) }))
      .sort((a, b) => b.leftMs - a.leftMs);
  }

  attempts(isWanted: (fact: LedgerFact) => boolean): LedgerAttempt[] {
    return [...byAttempt(this.cluster.ledger().filter(isWanted)).values()];
  }

  async until<Value>(what: string, msMax: number, look: () => Value | false | null | undefined): Promise<Value> {
    return until(what, msMax, look, this.signal);
  }

  #sleepMs(id: string): number {
    return this.#options.tasks.find((task) => task.id === id)?.sleepMs ?? 0;
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
  async #close(mustShow: readonly CheckId[], trouble: string | null): Promise<Report> {
    const { directory, command, repeat, seed, tasks, output } = this.#options;
    if (trouble === null) {
      await until(
        "all workers to be idle",
        settleMsMax,
        async () => (await this.#client.workers()).every(isIdle),
        this.signal,
      );
    }
    const documents = await readDocuments(this.#client);
    const journal = await readJournal(this.#client);
    this.#ending.abort();
    await this.cluster.stopAll();
    this.#screen.close();
    const evidence = {
      asked: tasks.map(({ id, sleepMs }) => ({ id, sleepMs, acknowledgedAt: this.#acknowledged.get(id) ?? null })),
      documents,
      journal,
      ledger: this.cluster.ledger(),
      lives: this.cluster.lives,
    };
    const checks = [...checkAll(evidence, mustShow), carriedOut(trouble)];
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
    writeFileSync(join(directory, "tasks.txt"), taskLines(documents));
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
