/** Keeps a cluster busy until it is stopped: what updates and faults must not disturb. */
import type { TaskDocument } from "../../src/model/task.ts";
import { SeededRandom } from "../../src/proof/cluster/random.ts";
import type { OutlastCluster } from "./outlastCluster.ts";

/** Clients that each submit a task, wait for its end, and submit the next one. */
const clients = 8;
const secondsMax = 4;

export class Load {
  /** How each call that had no answer in the end failed. */
  readonly failures: string[] = [];
  /** The longest that a submit waited for its answer, in ms. */
  slowestMs = 0;
  readonly #cluster: OutlastCluster;
  readonly #random = new SeededRandom(1);
  readonly #ended: TaskDocument[] = [];
  readonly #done: Promise<unknown>;
  #isOver = false;

  constructor(cluster: OutlastCluster) {
    this.#cluster = cluster;
    this.#done = Promise.all(Array.from({ length: clients }, () => this.#run()));
  }

  /** Submits nothing more. Resolves with all tasks when they have ended. */
  async stop(): Promise<readonly TaskDocument[]> {
    this.#isOver = true;
    await this.#done;
    return this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const startedAt = performance.now();
      try {
        const id = await this.#cluster.submit(this.#random.next() * secondsMax);
        this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
        this.#ended.push(...(await this.#cluster.ended([id])));
      } catch (error) {
        this.failures.push(String(error));
        return;
      }
    }
  }
}
