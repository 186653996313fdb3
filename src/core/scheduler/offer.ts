/** What a worker offers, and what tasks demand of it. */
import { type WorkerId, workerLabel, workerOf } from "../../model/ids.ts";
import { kindsOfOldWorkers } from "../../model/kinds/table.ts";
import type { WorkerRecord } from "../../model/worker.ts";

/** What a worker must have to be given the tasks of a lane. */
export interface Demand {
  readonly queue: { readonly name: string };
  readonly kind: string;
  /** Labels that the worker must carry, all of them; sorted, without repeats. */
  readonly requires: readonly string[];
  /** No worker is given them: masters decide them. */
  readonly needsNoWorker: boolean;
}

/** What a worker offers: the queues it serves, the kinds it can run, the labels it carries. */
export class Offer {
  readonly queues: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
  /** Equal for two offers of the same. */
  readonly key: string;

  /** @param worker whose own label counts; null for what many workers offer alike */
  constructor({ queues, kinds = kindsOfOldWorkers, labels: given = [] }: WorkerRecord, worker: WorkerId | null) {
    // Nobody carries the label of another worker.
    const own = given.filter((label) => workerOf([label]) === null);
    const labels = worker === null ? own : [...own, workerLabel(worker)];
    this.queues = new Set(queues);
    this.kinds = new Set(kinds);
    this.labels = new Set(labels);
    this.key = [queues, kinds, labels].map((names) => names.toSorted().join(" ")).join("\n");
  }

  serves(demand: Demand): boolean {
    return !demand.needsNoWorker && this.couldRun(demand);
  }

  /** What `serves` says, also for tasks of which each worker runs a part. */
  couldRun({ queue, kind, requires }: Omit<Demand, "needsNoWorker">): boolean {
    return this.queues.has(queue.name) && this.kinds.has(kind) && requires.every((label) => this.labels.has(label));
  }
}
