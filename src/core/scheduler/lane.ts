/** A lane: the tasks that wait for the same thing. Which workers could take them, `lanes.ts` keeps. */
import { needsNoWorker } from "../../model/kinds/table.ts";
import type { HeapItem } from "../heap.ts";
import { Line } from "../line.ts";
import type { Demand } from "./offer.ts";
import type { LiveQueue } from "./queues.ts";

/** What decides the order in which tasks start. */
export interface InLine extends HeapItem {
  readonly priority: number;
  /** Its place among equals: when it was created, or when it was to start. */
  readonly orderAt: number;
  /** Its place among tasks of the same instant: as they came. */
  readonly ordinal: number;
}

/** The order in which a queue's tasks start: by priority, then by time, then as they came. */
export function startsBefore(a: InLine, b: InLine): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.orderAt !== b.orderAt) return a.orderAt < b.orderAt;
  return a.ordinal < b.ordinal;
}

/** All unfinished tasks of one queue, one kind and one set of required labels; broadcasts stand apart from the others. */
export class Lane<Task extends InLine> implements HeapItem, Demand {
  readonly queue: LiveQueue;
  /** Its name among all lanes. */
  readonly key: string;
  readonly kind: string;
  readonly isBroadcast: boolean;
  readonly needsNoWorker: boolean;
  readonly requires: readonly string[];
  /** Those that could start now, the first one on top. */
  readonly ready = new Line<Task>(startsBefore);
  /** Unfinished tasks that belong here, in whatever state. A lane without any is dropped. */
  size = 0;
  heapIndex = -1;

  constructor(queue: LiveQueue, { kind, requires = [], broadcast = false }: LaneTraits) {
    this.queue = queue;
    this.key = laneKey({ queue: queue.name, kind, requires, broadcast });
    this.kind = kind;
    this.requires = requires;
    this.isBroadcast = broadcast;
    this.needsNoWorker = needsNoWorker({ kind, broadcast });
  }
}

/** What of a task says to which lane of its queue it belongs. */
interface LaneTraits {
  readonly kind: string;
  readonly requires?: readonly string[];
  readonly broadcast?: boolean;
}

/** The name of the lane among all lanes. No kind has a star in it. */
export function laneKey({ queue, kind, requires = [], broadcast }: LaneTraits & { readonly queue: string }): string {
  const own = broadcast === true ? `${queue} *${kind}` : `${queue} ${kind}`;
  return requires.length === 0 ? own : `${own} ${requires.join(" ")}`;
}

/** The order in which lanes are served: that of the first task in each. Both must hold a ready task. */
export function headStartsBefore<Task extends InLine>(a: Lane<Task>, b: Lane<Task>): boolean {
  const first = a.ready.peek();
  const second = b.ready.peek();
  return first !== undefined && second !== undefined && startsBefore(first, second);
}
