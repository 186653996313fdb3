/** The MapReduce act of the demonstration: word counts over real text, while the leader, a worker of a map and a worker of a reduce are killed. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveCorpora } from "../../cli/mapReduce/corpus.ts";
import type { Output } from "../../cli/output.ts";
import { submitMapReduce } from "../../mapreduce/submit.ts";
import type { TaskDocument } from "../../model/task.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import { Cluster } from "../cluster/cluster.ts";
import { combineLogs, prepareFolder, writeMarker } from "../cluster/folder.ts";
import { RunFailed, until } from "../cluster/until.ts";
import { type Check, demandCase } from "./check.ts";
import { carriedOut } from "./checks.ts";
import { checkJob, type ProcessKill } from "./mapReduceChecks.ts";
import { plainWordCount } from "./plainWordCount.ts";
import { reportLines } from "./report.ts";
import { wordCount } from "./wordCountJob.ts";

export interface MapReduceActOptions {
  readonly jobs: readonly ActJob[];
  readonly workers: number;
  readonly directory: string;
  readonly output: Output;
  readonly signal: AbortSignal;
}

export interface ActJob {
  /** A built-in corpus. */
  readonly corpus: string;
  readonly maps: number;
  readonly reduces: number;
}

export const actJobs: readonly ActJob[] = [
  { corpus: "25mb", maps: 20, reduces: 5 },
  { corpus: "250mb", maps: 100, reduces: 20 },
];

const module = fileURLToPath(new URL(`./wordCountJob${extname(import.meta.url)}`, import.meta.url));
const stepMsMax = 600_000;
const callMsMax = 60_000;

/** True if every promise was tested and kept. */
export async function runMapReduceAct(options: MapReduceActOptions): Promise<boolean> {
  const { output, signal } = options;
  const directory = resolve(options.directory);
  const startedAt = Date.now();
  const marker = { command: "demo", seed: 0, startedAt };
  prepareFolder(directory, { ...marker, pid: process.pid });
  const cluster = await Cluster.create({ directory, capacity: 1 });
  const act = new Act(options, cluster, startedAt);
  const checks: Check[] = [];
  try {
    const trouble = await act.play(checks).then(() => null, told);
    signal.throwIfAborted();
    checks.push(carriedOut(trouble));
    await cluster.stopAll();
    const logs = cluster.names().map((each) => ({ process: each, text: readFileSync(cluster.logPath(each), "utf8") }));
    writeFileSync(join(directory, "combined.log"), combineLogs(logs));
    const isClean = checks.every(({ holds }) => holds);
    if (output.isJson) output.document({ command: "demo", act: "mapreduce", checks, isClean });
    else {
      const times = { startedAt, endedAt: Date.now(), directory: options.directory };
      for (const line of reportLines({ checks, ...times }, output.paint, output.columnsMax)) output.line(line);
    }
    return isClean;
  } finally {
    await cluster.killAll();
    writeMarker(directory, { ...marker, pid: null });
  }
}

class Act {
  readonly #options: MapReduceActOptions;
  readonly #cluster: Cluster;
  readonly #startedAt: number;
  readonly #client: Outlast;

  constructor(options: MapReduceActOptions, cluster: Cluster, startedAt: number) {
    this.#options = options;
    this.#cluster = cluster;
    this.#startedAt = startedAt;
    this.#client = createClient({ masters: cluster.address, retryForMs: callMsMax, token: null });
  }

  async play(checks: Check[]): Promise<void> {
    const { workers, jobs } = this.#options;
    await this.#cluster.start("master");
    const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
    await Promise.all(names.map((name) => this.#cluster.start(name)));
    this.tell(`A master and ${workers} workers are up`);
    for (const job of jobs) checks.push(...(await this.#job(job)).map(demandCase));
  }

  /** Says what happens, and since when the run goes on. */
  tell(text: string, colour: "red" | "green" | null = null): void {
    const { output } = this.#options;
    if (output.isJson) return;
    const at = `${((Date.now() - this.#startedAt) / 1000).toFixed(1).padStart(6)} s  `;
    output.line(at + (colour === null ? text : output.paint(colour, text)));
  }

  async #job({ corpus, maps, reduces }: ActJob): Promise<Check[]> {
    const [input = ""] = await resolveCorpora([corpus], this.#options.output);
    const folder = join(resolve(this.#options.directory), `out-${corpus}`);
    const id = `count-${corpus}`;
    const bytes = statSync(input).size;
    const beganAt = Date.now();
    const job = await submitMapReduce(this.#client, module, {
      ...{ job: wordCount.name, id, input: [input], output: folder, maps, reduces },
      compression: "none",
    });
    this.tell(`${corpus}: word count with ${maps} maps and ${reduces} reduces`);
    const kills = [
      await this.#killLeader(id, Math.ceil(maps / 4)),
      await this.#killWorker(id, "map", Math.ceil(maps / 2)),
      await this.#killWorker(id, "reduce", maps + 1),
    ];
    const summary = await job.result({ signal: this.#options.signal });
    const seconds = (Date.now() - beganAt) / 1000;
    const shuffled = typeof summary["shuffledBytes"] === "number" ? summary["shuffledBytes"] / 1e6 : 0;
    const rate = `${(bytes / 1e6 / seconds).toFixed(1)} MB/s, ${shuffled.toFixed(1)} MB shuffled`;
    this.tell(`${corpus}: done in ${seconds.toFixed(1)} s, ${rate}; counting it again with a plain program …`, "green");
    const expected = await plainWordCount(input);
    return checkJob({
      corpus,
      documents: await this.#tasksOf(id),
      maps,
      reduces,
      files: filesIn(folder),
      expected,
      kills,
    });
  }

  async #killLeader(id: string, done: number): Promise<ProcessKill> {
    const { length } = await this.#untilDone(id, done);
    return this.#kill(id, "leader", "master", length);
  }

  async #killWorker(id: string, phase: "map" | "reduce", done: number): Promise<ProcessKill> {
    await this.#untilDone(id, done);
    const worker = await until(
      `a worker to run a ${phase}`,
      stepMsMax,
      async () => {
        const tasks = await this.#tasksOf(id);
        return tasks.find(({ name, state }) => state === "running" && name.startsWith(`${phase} `))?.host;
      },
      this.#options.signal,
    );
    const { length } = (await this.#tasksOf(id)).filter(isDone);
    return this.#kill(id, `${phase} worker`, worker, length);
  }

  async #kill(id: string, what: ProcessKill["what"], process: string, done: number): Promise<ProcessKill> {
    const at = Date.now();
    await this.#cluster.kill(process);
    this.tell(`killed ${process}, the ${what}, when ${done} maps and reduces were done`, "red");
    await this.#cluster.start(process);
    await this.#untilDone(id, done + 1).catch(() => null);
    return { what, process, at, done, nextMs: Date.now() - at };
  }

  /** Waits until so many maps and reduces are done, or the job itself is. */
  #untilDone(id: string, count: number): Promise<readonly TaskDocument[]> {
    return until(
      `${count} maps and reduces of ${id} to be done`,
      stepMsMax,
      async () => {
        const tasks = await this.#tasksOf(id);
        const ended = tasks.find((task) => task.id === id && task.endedAt !== undefined);
        if (ended?.state === "failed") {
          throw new RunFailed(`${id} failed: ${ended.error?.message ?? "?"}`, "Its log says more.");
        }
        const done = tasks.filter(isDone);
        if (done.length >= count || ended?.state === "success") return done;
        return null;
      },
      this.#options.signal,
    );
  }

  async #tasksOf(id: string): Promise<TaskDocument[]> {
    const { signal } = this.#options;
    const { tasks } = await this.#client.list({ limit: 1000, signal });
    return tasks.filter((task) => task.id === id || task.id.startsWith(`${id}~`));
  }
}

function isDone({ name, state }: TaskDocument): boolean {
  return state === "success" && /^(map|reduce) \d+$/.test(name);
}

function filesIn(folder: string): Map<string, Buffer> {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), entry.isFile() ? readFileSync(path) : Buffer.alloc(0)];
    }),
  );
}

/** What went wrong, if it is of the sort that leaves evidence to be looked at; anything else goes on its way up. */
function told(error: unknown): string {
  if (error instanceof RunFailed) return error.message;
  throw error;
}
