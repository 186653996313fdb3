/** A lane: the tasks that wait for the same thing, and the groups of workers that can take them. */
import { kindsOfOldWorkers, kindsWithoutWorker } from "../../model/kinds/table.ts";
import type { WorkerRecord } from "../../model/worker.ts";
import { Heap, type HeapItem } from "../heap.ts";
import { type LiveTask, startsBefore } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { LiveQueue } from "./queues.ts";

/** What a worker must have to be given the tasks of a lane. */
export interface Demand {
  readonly kind: string;
  /** Labels that the worker must carry, all of them; sorted, without repeats. */
  readonly requires: readonly string[];
}

/** All unfinished tasks of one queue, one kind and one set of required labels. */
export class Lane implements HeapItem, Demand {
  readonly queue: LiveQueue;
  readonly kind: string;
  readonly requires: readonly string[];
  /** Those that could start now, the first one on top. */
  readonly ready = new Heap<LiveTask>(startsBefore);
  /** Unfinished tasks that belong here, in whatever state. A lane without any is dropped. */
  size = 0;
  /** Groups of workers that serve this lane and have a free slot. */
  readonly free = new Set<WorkerGroup>();
  heapIndex = -1;

  constructor(queue: LiveQueue, { kind, requires }: Demand) {
    this.queue = queue;
    this.kind = kind;
    this.requires = requires;
  }

  /** True if its first task could start now, on a worker that has a free slot now. */
  get isOpen(): boolean {
    return this.ready.size > 0 && this.free.size > 0 && this.queue.isOpen;
  }

  /** Of all workers with a free slot that serve this lane, the one with the lightest load. */
  get lightestWorker(): LiveWorker | undefined {
    let lightest: Slot | undefined;
    for (const group of this.free) {
      const slot = group.slots.peek();
      if (slot !== undefined && (lightest === undefined || isLighter(slot, lightest))) lightest = slot;
    }
    return lightest?.worker;
  }
}

/** The order in which lanes are served: that of the first task in each. Both must hold a ready task. */
export function headStartsBefore(a: Lane, b: Lane): boolean {
  const first = a.ready.peek();
  const second = b.ready.peek();
  return first !== undefined && second !== undefined && startsBefore(first, second);
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

  serves({ queue, kind, requires }: Lane): boolean {
    if (kindsWithoutWorker.has(kind)) return false;
    return this.queues.has(queue.name) && this.kinds.has(kind) && requires.every((label) => this.labels.has(label));
  }
}

/** Workers with the same offer: whatever one of them can take, each of them can. */
export class WorkerGroup {
  readonly offer: Offer;
  /** Lanes that it serves. */
  readonly lanes = new Set<Lane>();
  /** Its workers with a free slot, the lightest load on top. */
  readonly slots = new Heap<Slot>(isLighter);
  /** Connected workers in it, with or without a free slot. */
  members = 0;
  /** True if its lanes have been told that it has a free slot. */
  isFree = false;

  constructor(offer: Offer) {
    this.offer = offer;
  }
}

/** A worker's place among those of its group that have a free slot. */
export class Slot implements HeapItem {
  readonly worker: LiveWorker;
  heapIndex = -1;

  constructor(worker: LiveWorker) {
    this.worker = worker;
  }
}

/** Spreads tasks evenly: the smallest share of used slots goes first; equals take turns. */
function isLighter({ worker: a }: Slot, { worker: b }: Slot): boolean {
  const loadA = a.usedSlots / a.record.capacity;
  const loadB = b.usedSlots / b.record.capacity;
  if (loadA !== loadB) return loadA < loadB;
  return a.turn < b.turn;
}
