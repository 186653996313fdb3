/**
 * A running cluster of the version before is upgraded under load, process by process, in both orders. The fixture is the package
 * that was built from commit 135ba18: protocol 1, entry format 1.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { parseObject } from "../../src/proof/cluster/attemptLines.ts";
import { type Scene, scene } from "./scene.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Inside `node_modules`, so that the old package finds the dependencies of this checkout. */
const unpacked = join(root, "node_modules", ".cache", "outlast-before");
const before = join(unpacked, "package", "bin", "outlast.js");
const now = join(root, "bin", "outlast.js");

const workers = ["worker-1", "worker-2", "worker-3"];
/** They are running while the first process is replaced, however slow that is here. */
const longTasks = ["long-1", "long-2", "long-3"];
const longSeconds = 6;

beforeAll(() => {
  if (existsSync(before)) return;
  mkdirSync(unpacked, { recursive: true });
  execFileSync("tar", ["-xzf", join(root, "tests", "fixtures", "outlast-0.1.0.tgz"), "-C", unpacked]);
});

/** Puts tasks in until it is told to stop, whoever leads meanwhile. */
class Load {
  readonly #play: Scene;
  readonly ids: string[] = [];
  #isOver = false;
  #done: Promise<void> = Promise.resolve();

  constructor(play: Scene) {
    this.#play = play;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const id = `load-${this.ids.length + 1}`;
      await this.#play.sleepTask(id, (this.ids.length % 5) * 0.1);
      this.ids.push(id);
      await this.#play.success(this.ids[Math.max(0, this.ids.length - 4)] ?? id);
    }
  }

  /** More has come to its end since the call. */
  async goesOn(): Promise<void> {
    const from = this.ids.length;
    await this.#play.until("the load to go on", () => this.ids.length >= from + 6);
  }
}

/** The protocol of each session of a worker's present life, as its log says. */
function protocols(play: Scene, worker: string): unknown[] {
  const pid = play.cluster.pid(worker);
  return readFileSync(play.cluster.logPath(worker), "utf8")
    .split("\n")
    .map(parseObject)
    .filter((line) => line !== null && line["pid"] === pid && line["msg"] === "attached to a master")
    .map((line) => line?.["protocol"]);
}

async function checkAll(play: Scene, load: Load): Promise<void> {
  await load.stop();
  // None that ran was killed by a change of the master or by a worker that drained: each was started once. A worker that has just
  // been told to drain may hand back what it has not started, which is another attempt, but no execution.
  for (const id of [...longTasks, ...load.ids]) {
    expect(await play.success(id)).toMatchObject({ failures: 0 });
    expect(play.starts(id)).toHaveLength(1);
  }
  for (const id of longTasks) expect(await play.success(id)).toMatchObject({ attempt: 1, kills: 0 });
  expect(await play.broken()).toEqual([]);
}

describe("a rolling upgrade under load", () => {
  const upgrade = async (order: readonly string[], look: (play: Scene, replaced: string) => Promise<void>) => {
    const isNew = new Set<string>();
    await scene(
      ["master", ...workers],
      async (play) => {
        for (const id of longTasks) await play.sleepTask(id, longSeconds);
        for (const id of longTasks) await play.started(id);
        const load = new Load(play);
        load.start();
        await load.goesOn();
        for (const process of order) {
          await (process === "master" ? play.cluster.kill(process) : play.cluster.stop(process));
          isNew.add(process);
          await play.cluster.start(process);
          await load.goesOn();
          await look(play, process);
        }
        await checkAll(play, load);
      },
      { capacity: 3, programOf: (process) => (isNew.has(process) ? now : before) },
    );
  };

  test("the master first, then the workers one by one", () =>
    upgrade(["master", ...workers], async (play, replaced) => {
      if (replaced !== "master") expect(protocols(play, replaced)).toEqual([2]);
    }));

  test("the workers one by one, then the master", () =>
    upgrade([...workers, "master"], async (play, replaced) => {
      if (replaced !== "master") return expect(protocols(play, replaced)).toEqual([1]);
      for (const worker of workers) {
        await play.until(`${worker} to speak with the new master`, () => protocols(play, worker).at(-1) === 2);
      }
    }));
});
