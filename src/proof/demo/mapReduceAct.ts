/** The MapReduce act of the demonstration: word counts over real text, while the leader, a worker of a map and a worker of a reduce are killed. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveCorpora } from "../../cli/mapReduce/corpus.ts";
import { submitMapReduce } from "../../mapreduce/submit.ts";
import type { TaskDocument } from "../../model/task.ts";
import { RunFailed, until } from "../cluster/until.ts";
import { type ActOptions, runAct, type Stage } from "./act.ts";
import type { Check } from "./check.ts";
import { checkJob, type ProcessKill } from "./mapReduceChecks.ts";
import { plainWordCount } from "./plainWordCount.ts";
import { wordCount } from "./wordCountJob.ts";

export interface MapReduceActOptions extends ActOptions {
  readonly jobs: readonly ActJob[];
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

/** True if every promise was tested and kept. */
export function runMapReduceAct(options: MapReduceActOptions): Promise<boolean> {
  const checks: Check[] = [];
  return runAct(options, {
    name: "mapreduce",
    cluster: { capacity: 1 },
    play: (stage) => new JobsUnderFire(options, stage).play(checks),
    judge: async () => checks,
  });
}

class JobsUnderFire {
  readonly #options: MapReduceActOptions;
  readonly #stage: Stage;

  constructor(options: MapReduceActOptions, stage: Stage) {
    this.#options = options;
    this.#stage = stage;
  }

  async play(checks: Check[]): Promise<void> {
    const { workers, jobs } = this.#options;
    const { cluster, tell } = this.#stage;
    await cluster.start("master");
    const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
    await Promise.all(names.map((name) => cluster.start(name)));
    tell(`A master and ${workers} workers are up`);
    for (const job of jobs) checks.push(...(await this.#job(job)));
  }

  async #job({ corpus, maps, reduces }: ActJob): Promise<Check[]> {
    const [input = ""] = await resolveCorpora([corpus], this.#options.output);
    const folder = join(resolve(this.#options.directory), `out-${corpus}`);
    const id = `count-${corpus}`;
    const bytes = statSync(input).size;
    const beganAt = Date.now();
    const job = await submitMapReduce(this.#stage.client, module, {
      ...{ job: wordCount.name, id, input: [input], output: folder, maps, reduces },
      compression: "none",
    });
    this.#stage.tell(`${corpus}: word count with ${maps} maps and ${reduces} reduces`);
    const kills = [
      await this.#killLeader(id, Math.ceil(maps / 4)),
      await this.#killWorker(id, "map", Math.ceil(maps / 2)),
      await this.#killWorker(id, "reduce", maps + 1),
    ];
    const summary = await job.result({ signal: this.#options.signal });
    const seconds = (Date.now() - beganAt) / 1000;
    const shuffled = typeof summary["shuffledBytes"] === "number" ? summary["shuffledBytes"] / 1e6 : 0;
    const rate = `${(bytes / 1e6 / seconds).toFixed(1)} MB/s, ${shuffled.toFixed(1)} MB shuffled`;
    this.#stage.tell(
      `${corpus}: done in ${seconds.toFixed(1)} s, ${rate}; counting it again with a plain program …`,
      "green",
    );
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
    await this.#stage.cluster.kill(process);
    this.#stage.tell(`killed ${process}, the ${what}, when ${done} maps and reduces were done`, "red");
    await this.#stage.cluster.start(process);
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
    const { tasks } = await this.#stage.client.list({ limit: 1000, signal });
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
