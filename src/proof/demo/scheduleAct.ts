/** The schedule act of the demonstration: a schedule with a tick each second, while one leader after the other is shot, mostly on a tick. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Output } from "../../cli/output.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import { Cluster } from "../cluster/cluster.ts";
import { combineLogs, prepareFolder, taskLines, writeMarker } from "../cluster/folder.ts";
import { SeededRandom } from "../cluster/random.ts";
import { RunFailed, until } from "../cluster/until.ts";
import { demandCase } from "./check.ts";
import { carriedOut } from "./checks.ts";
import { reportLines } from "./report.ts";
import { checkSchedule } from "./scheduleChecks.ts";
import { type Journal, readDocuments, readJournal } from "./witness.ts";

export interface ScheduleActOptions {
  readonly ticks: number;
  readonly masters: readonly string[];
  readonly workers: number;
  readonly seed: number;
  readonly directory: string;
  readonly repeat: string;
  readonly output: Output;
  readonly signal: AbortSignal;
}

const name = "each-second";
const capacity = 4;
const taskMs = 200;
/** From the put to the first tick. */
const startsInMs = 2_000;
/** Between two shots; the dead master is back long before the next one. */
const shotEveryMs = { min: 3_000, max: 8_000 } as const;
/** So long before a shot it is asked who leads. */
const aimMs = 500;
const backAfterMs = 1_000;
const callMsMax = 60_000;
const settleMsMax = 60_000;
const tellEveryMs = 10_000;

/** True if every promise was tested and kept. */
export async function runScheduleAct(options: ScheduleActOptions): Promise<boolean> {
  const { masters, output, signal, seed } = options;
  const directory = resolve(options.directory);
  const startedAt = Date.now();
  const marker = { command: "demo", seed, startedAt };
  prepareFolder(directory, { ...marker, pid: process.pid });
  const cluster = await Cluster.create({ directory, capacity, masters });
  const act = new Act(options, cluster, startedAt);
  const onInterrupt = () => act.tell("Interrupted: ending every process of this run", "yellow");
  signal.addEventListener("abort", onInterrupt, { once: true });
  try {
    const trouble = await act.play().then(() => null, told);
    signal.throwIfAborted();
    const checks = [...(await act.judge()).map(demandCase), carriedOut(trouble)];
    await cluster.stopAll();
    const logs = cluster.names().map((each) => ({ process: each, text: readFileSync(cluster.logPath(each), "utf8") }));
    writeFileSync(join(directory, "combined.log"), combineLogs(logs));
    const isClean = checks.every(({ holds }) => holds);
    if (output.isJson)
      output.document({ command: "demo", act: "schedule", repeat: options.repeat, seed, checks, isClean });
    else {
      const times = { startedAt, endedAt: Date.now(), directory: options.directory };
      for (const line of reportLines({ checks, ...times }, output.paint, output.columnsMax)) output.line(line);
    }
    return isClean;
  } finally {
    signal.removeEventListener("abort", onInterrupt);
    await cluster.killAll();
    writeMarker(directory, { ...marker, pid: null });
  }
}

class Act {
  readonly #options: ScheduleActOptions;
  readonly #cluster: Cluster;
  readonly #startedAt: number;
  readonly #client: Outlast;
  readonly #shotAt: number[] = [];
  #ticks: readonly number[] = [];

  constructor(options: ScheduleActOptions, cluster: Cluster, startedAt: number) {
    this.#options = options;
    this.#cluster = cluster;
    this.#startedAt = startedAt;
    this.#client = createClient({ masters: cluster.address, retryForMs: callMsMax, token: null });
  }

  async play(): Promise<void> {
    const { masters, workers, ticks, seed } = this.#options;
    const [first = "", ...others] = masters;
    await this.#cluster.start(first);
    const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
    await Promise.all([...others, ...names].map((each) => this.#cluster.start(each)));
    this.tell(`${masters.length} masters and ${workers} workers are up (seed ${seed})`);
    const from = Math.ceil((Date.now() + startsInMs) / 1000) * 1000;
    this.#ticks = Array.from({ length: ticks }, (_, index) => from + index * 1000);
    await this.#client.schedules.put(
      name,
      {
        when: { everyMs: 1000, from },
        ...{ startsAt: from, endsAt: from + (ticks - 1) * 1000, missed: "all" },
        task: { kind: "sleep", input: { seconds: taskMs / 1000 } },
      },
      { signal: this.#options.signal },
    );
    this.tell(`A schedule has a tick each second from now on, ${ticks} in all`);
    await this.#shootLeaders();
    await this.#untilDone();
    this.tell(`The last tick is over, and its task has ended`, "green");
  }

  /** Says what happens, and since when the run goes on. */
  tell(text: string, colour: "red" | "green" | "yellow" | null = null): void {
    const { output } = this.#options;
    if (output.isJson) return;
    const at = `${((Date.now() - this.#startedAt) / 1000).toFixed(1).padStart(6)} s  `;
    output.line(at + (colour === null ? text : output.paint(colour, text)));
  }

  /** From the evidence that the masters and the journal give. */
  async judge() {
    const documents = await readDocuments(this.#client);
    const journal: Journal = await readJournal(this.#client);
    const schedule = await this.#client.schedules.get(name);
    writeFileSync(join(resolve(this.#options.directory), "tasks.txt"), taskLines(documents));
    return checkSchedule({ name, ticks: this.#ticks, schedule, documents, journal, shotAt: this.#shotAt });
  }

  async #shootLeaders(): Promise<void> {
    const { seed, signal } = this.#options;
    const random = new SeededRandom(seed);
    const endAt = this.#ticks.at(-1) ?? 0;
    let toldAt = Date.now();
    for (;;) {
      const waitMs = shotEveryMs.min + random.next() * (shotEveryMs.max - shotEveryMs.min);
      // Three of four in the moment of a tick, or just before or after it.
      const aimAt = Date.now() + waitMs;
      const at = random.chance(0.75) ? Math.round(aimAt / 1000) * 1000 + Math.round(random.next() * 60 - 30) : aimAt;
      if (at > endAt) break;
      await setTimeout(Math.max(0, at - aimMs - Date.now()), undefined, { signal });
      const leader = await this.#leader();
      await setTimeout(Math.max(0, at - Date.now()), undefined, { signal });
      this.#shotAt.push(Date.now());
      await this.#cluster.kill(leader);
      await setTimeout(backAfterMs, undefined, { signal });
      // However long that takes: the others go on meanwhile.
      await this.#cluster.launch(leader).ready;
      if (Date.now() - toldAt < tellEveryMs) continue;
      toldAt = Date.now();
      const { fired } = await this.#client.schedules.get(name, { signal });
      const due = this.#ticks.filter((tick) => tick <= toldAt).length;
      this.tell(`${due} ticks, ${fired} tasks made, ${this.#shotAt.length} leaders shot`);
    }
  }

  /** The name of the master that leads by its own word. */
  #leader(): Promise<string> {
    const ask = async (master: string): Promise<string | null> => {
      if (!this.#cluster.isUp(master)) return null;
      const client = createClient({ masters: this.#cluster.addressOf(master), retryForMs: 0, token: null });
      const status = await client.status({ signal: this.#options.signal }).catch(() => null);
      return status?.role === "leader" ? master : null;
    };
    return until(
      "a master to lead",
      settleMsMax,
      async () => (await Promise.all(this.#options.masters.map(ask))).find((master) => master !== null),
      this.#options.signal,
    );
  }

  async #untilDone(): Promise<void> {
    const { signal } = this.#options;
    await setTimeout(Math.max(0, (this.#ticks.at(-1) ?? 0) - Date.now()), undefined, { signal });
    await until(
      "every tick to be settled and its task to end",
      settleMsMax,
      async () => {
        const { nextAt } = await this.#client.schedules.get(name, { signal });
        if (nextAt !== null) return false;
        const page = await this.#client.list({
          states: ["created", "running", "retrying", "killed"],
          limit: 1,
          signal,
        });
        return page.tasks.length === 0;
      },
      signal,
    );
  }
}

/** What went wrong, if it is of the sort that leaves evidence to be looked at; anything else goes on its way up. */
function told(error: unknown): string {
  if (error instanceof RunFailed) return error.message;
  throw error;
}
