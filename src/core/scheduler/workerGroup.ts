/** Groups of workers that offer the same, and in each the order in which its workers are given tasks. */
import { Heap, type HeapItem } from "../heap.ts";
import type { TaskLane } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { Offer } from "./offer.ts";

/** Workers with the same offer: whatever one of them can take, each of them can. */
export class WorkerGroup {
  readonly offer: Offer;
  /** Lanes that it serves. */
  readonly lanes = new Set<TaskLane>();
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

/** A worker's place in its group: among those that have a free slot while it has one. */
export class Slot implements HeapItem {
  readonly worker: LiveWorker;
  readonly group: WorkerGroup;
  heapIndex = -1;

  constructor(worker: LiveWorker, group: WorkerGroup) {
    this.worker = worker;
    this.group = group;
  }
}

/** Spreads tasks evenly: the smallest share of used slots goes first; equals take turns. */
export function isLighter({ worker: a }: Slot, { worker: b }: Slot): boolean {
  const loadA = a.usedSlots / a.record.capacity;
  const loadB = b.usedSlots / b.record.capacity;
  if (loadA !== loadB) return loadA < loadB;
  return a.turn < b.turn;
}
