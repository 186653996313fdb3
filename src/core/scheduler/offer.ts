/** What a worker offers, and what tasks demand of it. */
import { kindsOfOldWorkers, kindsWithoutWorker } from "../../model/kinds/table.ts";
import type { WorkerRecord } from "../../model/worker.ts";

/** What a worker must have to be given the tasks of a lane. */
export interface Demand {
  readonly queue: { readonly name: string };
  readonly kind: string;
  /** Labels that the worker must carry, all of them; sorted, without repeats. */
  readonly requires: readonly string[];
}

/** What a worker offers: the queues it serves, the kinds it can run, the labels it carries. */
export class Offer {
  readonly queues: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
  /** Equal for two offers of the same. */
  readonly key: string;

  constructor({ queues, kinds = kindsOfOldWorkers, labels = [] }: WorkerRecord) {
    this.queues = new Set(queues);
    this.kinds = new Set(kinds);
    this.labels = new Set(labels);
    this.key = [queues, kinds, labels].map((names) => names.toSorted().join(" ")).join("\n");
  }

  serves({ queue, kind, requires }: Demand): boolean {
    if (kindsWithoutWorker.has(kind)) return false;
    return this.queues.has(queue.name) && this.kinds.has(kind) && requires.every((label) => this.labels.has(label));
  }
}
