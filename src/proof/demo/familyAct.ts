/** The family act of the demonstration: a master task with many children, while the leader and workers are killed in the middle. */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { TaskDocument } from "../../model/task.ts";
import { RunFailed, until } from "../cluster/until.ts";
import { type ActOptions, runAct, type Stage } from "./act.ts";
import type { Check } from "./check.ts";
import { checkFamily, type FamilyKill, type RememberedChildStep } from "./familyChecks.ts";
import { demoFamily, type StepRun, stepRunsPrefix } from "./familyTasks.ts";
import { readJournal } from "./witness.ts";

export interface FamilyActOptions extends ActOptions {
  readonly children: number;
  /** How long the work between the two steps of a child takes at most, in ms. */
  readonly workMsMax: number;
}

const id = "family";
const capacity = 4;
const stepMsMax = 120_000;
const goneOnMsMax = 60_000;
/** Workers that are killed until one has died under a child that had a step behind it. */
const workerKillsMax = 3;

const module = fileURLToPath(new URL(`./familyTasks${extname(import.meta.url)}`, import.meta.url));

/** True if every promise was tested and kept. */
export function runFamilyAct(options: FamilyActOptions): Promise<boolean> {
  let family: FamilyUnderFire | null = null;
  return runAct(options, {
    name: "family",
    cluster: { capacity, workerArguments: ["--tasks", module] },
    play: (stage) => {
      family = new FamilyUnderFire(options, stage);
      return family.play();
    },
    judge: async () => (await family?.judge()) ?? [],
  });
}

class FamilyUnderFire {
  readonly #options: FamilyActOptions;
  readonly #stage: Stage;
  readonly #folder: string;
  readonly #kills: FamilyKill[] = [];

  constructor(options: FamilyActOptions, stage: Stage) {
    this.#options = options;
    this.#stage = stage;
    this.#folder = resolve(options.directory);
  }

  async play(): Promise<void> {
    const { workers, children, workMsMax, signal } = this.#options;
    const { cluster, client, tell } = this.#stage;
    await cluster.start("master");
    const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
    await Promise.all(names.map((name) => cluster.start(name)));
    tell(`A master and ${workers} workers are up, each worker takes ${capacity} tasks at a time`);
    const task = await demoFamily.submit(client, { children, workMsMax, folder: this.#folder }, { id });
    tell(`A master task divides into ${children} children of two steps each`);
    await this.#killLeader(Math.ceil(children / 4));
    await this.#killWorkers(Math.ceil(children / 2));
    const sum = await task.result({ signal });
    tell(`The master task has added up what its children gave: ${sum}`, "green");
  }

  async judge(): Promise<readonly Check[]> {
    const { client } = this.#stage;
    const root = await client.get(id);
    const children: TaskDocument[] = [];
    for await (const child of client.iterate({ parent: id, order: "oldest" })) children.push(child);
    const remembered: RememberedChildStep[] = [];
    for (const { id: task } of [root, ...children])
      for await (const { key, step } of client.views.steps(task))
        remembered.push({ task, key, committedAt: step.at ?? 0 });
    const { changes } = await readJournal(client);
    const runs = readRuns(this.#folder);
    const { children: wanted } = this.#options;
    return checkFamily({ wanted, root, children, remembered, runs, changes, kills: this.#kills });
  }

  async #killLeader(done: number): Promise<void> {
    const { cluster, tell } = this.#stage;
    await this.#untilDone(done);
    const running = await this.#running();
    const at = Date.now();
    await cluster.kill("master");
    tell(`SIGKILL master when ${done} children are done and ${running.length} run`, "red");
    this.#kills.push({ what: "leader", process: "master", at, running });
    await cluster.start("master");
    tell("master is back, and the children have run on");
  }

  /** In the middle of the work of a child that has its first step behind it, as the journal says. */
  async #killWorkers(done: number): Promise<void> {
    const { cluster, tell } = this.#stage;
    await this.#untilDone(done);
    for (let tries = 0; tries < workerKillsMax; tries += 1) {
      const running = await until(
        "a child to have its first step behind it",
        stepMsMax,
        async () => {
          const all = await this.#running();
          const host = all.find(({ steps }) => steps === 1)?.host;
          return host === undefined ? null : all.filter((each) => each.host === host);
        },
        this.#options.signal,
      );
      const worker = running[0]?.host ?? "";
      const at = Date.now();
      await cluster.kill(worker);
      tell(`SIGKILL ${worker}, which runs ${running.length} children`, "red");
      this.#kills.push({ what: "worker", process: worker, at, running });
      await cluster.start(worker);
      if (await this.#hasCut(running)) return;
      tell("Its children had ended before it died; another one dies");
    }
  }

  /** True if the death has cut off a child that had a step behind it. */
  #hasCut(running: FamilyKill["running"]): Promise<boolean> {
    return until(
      "the children of the dead worker to run again, or to have ended",
      goneOnMsMax,
      async () => {
        const states = await Promise.all(running.map(({ task }) => this.#stage.client.get(task, { consistent: true })));
        const isCut = states.some(({ kills }, index) => kills > 0 && running[index]?.steps === 1);
        if (isCut) return { isCut };
        return states.every(({ kills, endedAt }) => kills > 0 || endedAt !== undefined) ? { isCut } : null;
      },
      this.#options.signal,
    ).then(({ isCut }) => isCut);
  }

  /** Children that run, as a master that leads knows them. */
  async #running(): Promise<FamilyKill["running"]> {
    const { client } = this.#stage;
    const { signal } = this.#options;
    const { tasks } = await client.views.children(id, { states: ["running"], limit: 1000, signal });
    return tasks.map(({ id: task, attempt, host = "", family }) => ({
      task,
      attempt,
      host,
      steps: family?.steps ?? 0,
    }));
  }

  #untilDone(count: number): Promise<true> {
    const { signal } = this.#options;
    return until(
      `${count} children to be done`,
      stepMsMax,
      async () => {
        const { counts } = await this.#stage.client.views.children(id, { limit: 1, signal });
        if ((counts.failed ?? 0) > 0) throw new RunFailed("A child has failed.", "Its log says more.");
        return (counts.success ?? 0) >= count ? true : null;
      },
      signal,
    );
  }
}

/** What the processes of the tasks wrote down, also those that are dead. */
function readRuns(folder: string): StepRun[] {
  const files = readdirSync(folder).filter((name) => name.startsWith(stepRunsPrefix));
  return files.flatMap((name) => {
    const lines = readFileSync(join(folder, name), "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as StepRun);
  });
}
