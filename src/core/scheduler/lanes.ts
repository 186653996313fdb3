/**
 * Brings waiting tasks and free workers together. What it costs to find the next assignment depends on how many lanes hold
 * tasks that a free worker could take; neither the backlog of a lane nor the number of idle workers matters.
 */
import { kindsWithoutWorker } from "../../model/kinds/table.ts";
import type { TaskHead } from "../../model/task.ts";
import { Heap } from "../heap.ts";
import { KeyGroups } from "./keyGroups.ts";
import { headStartsBefore, Lane, WorkerGroup } from "./lane.ts";
import { type LiveTask, startsBefore } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { LiveQueue, Queues } from "./queues.ts";

export class Lanes {
  readonly #queues: Queues;
  readonly #byKey = new Map<string, Lane>();
  readonly #groups = new Map<string, WorkerGroup>();
  readonly #open = new Heap<Lane>(headStartsBefore);
  /** Tasks that could start now and must run alone; see isolation.ts. They do not stand in their lanes. */
  readonly suspects = new Heap<LiveTask>(startsBefore);
  /** Workers that are kept for one such task, until it has ended. */
  readonly alone = new Set<LiveWorker>();
  readonly #keys = new KeyGroups<LiveTask, Lane>({
    isBefore: startsBefore,
    laneOf: (task) => task.lane,
    put: (task) => this.#enter(task),
    take: (task) => this.#leave(task),
  });
  /** Lanes of tasks that masters decide themselves. */
  readonly #own = new Set<Lane>();
  #lastTurn = 0;

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  [Symbol.iterator](): Iterator<Lane> {
    return this.#byKey.values();
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** How many lanes these tasks would add. */
  countNew(heads: readonly TaskHead[]): number {
    const fresh = new Set<string>();
    for (const head of heads) {
      const key = laneKey(head);
      if (!this.#byKey.has(key)) fresh.add(key);
    }
    return fresh.size;
  }

  /** The lane that a new task belongs to. Must be followed by `leave` when that task has ended. */
  enter(head: TaskHead): Lane {
    const key = laneKey(head);
    let lane = this.#byKey.get(key);
    if (lane === undefined) {
      lane = new Lane(this.#queues.open(head.queue), { kind: head.kind, requires: head.requires ?? [] });
      this.#byKey.set(key, lane);
      if (kindsWithoutWorker.has(lane.kind)) this.#own.add(lane);
      lane.queue.lanes.add(lane);
      for (const group of this.#groups.values()) if (group.offer.serves(lane)) this.#connect(group, lane);
    }
    lane.size += 1;
    return lane;
  }

  /** A task of this lane has ended. */
  leave(lane: Lane): void {
    lane.size -= 1;
    if (lane.size > 0) return;
    this.#byKey.delete(laneKey({ queue: lane.queue.name, kind: lane.kind, requires: lane.requires }));
    lane.queue.lanes.delete(lane);
    this.#own.delete(lane);
    for (const group of this.#groups.values()) group.lanes.delete(lane);
    this.#queues.dropIfUnused(lane.queue);
  }

  /** The task could start now, as far as everything but its concurrency key goes. */
  enqueue(task: LiveTask): void {
    if (task.keyUse === null) this.#enter(task);
    else this.#keys.enqueue(task, task.keyUse);
  }

  dequeue(task: LiveTask): void {
    if (task.keyUse === null) this.#leave(task);
    else this.#keys.dequeue(task, task.keyUse);
  }

  /** An attempt with this key has begun to hold it (1), or no longer does (-1). */
  countKey(group: string, by: 1 | -1): void {
    this.#keys.count(group, by);
  }

  heldKeys(group: string): number {
    return this.#keys.held(group);
  }

  #enter(task: LiveTask): void {
    // Where more tasks are suspect than can run alone, it is rather the machines than the tasks: the others go on as usual.
    task.isSetApart = task.isSuspect && this.suspects.size < this.aloneMax;
    if (task.isSetApart) return this.suspects.push(task);
    task.lane.ready.push(task);
    this.#place(task.lane);
  }

  #leave(task: LiveTask): void {
    if (task.isSetApart) {
      task.isSetApart = false;
      return this.suspects.remove(task);
    }
    task.lane.ready.remove(task);
    this.#place(task.lane);
  }

  /** Must be called where it may have changed whether the queue may start tasks. */
  refresh(queue: LiveQueue): void {
    const { isOpen } = queue;
    if (isOpen === queue.wasOpen) return;
    queue.wasOpen = isOpen;
    for (const lane of queue.lanes) this.#place(lane);
  }

  /** True if a task waits that a worker with a free slot could take. */
  get hasMatch(): boolean {
    return this.#open.size > 0;
  }

  /** The task that starts next and the worker that gets it; undefined if no ready task has a worker with a free slot. */
  next(): { readonly task: LiveTask; readonly worker: LiveWorker } | undefined {
    const lane = this.#open.peek();
    const task = lane?.ready.peek();
    const worker = lane?.lightestWorker;
    return task === undefined || worker === undefined ? undefined : { task, worker };
  }

  /** A task that needs no worker and could begin now. */
  nextOwn(): LiveTask | undefined {
    for (const lane of this.#own) if (lane.ready.size > 0 && !lane.queue.isPaused) return lane.ready.peek();
    return undefined;
  }

  /** True if some connected worker serves the queue of this lane, can run its kind and carries its labels. */
  isServed(lane: Lane): boolean {
    for (const group of this.#groups.values()) if (group.lanes.has(lane)) return true;
    for (const worker of this.alone) if (worker.offer.serves(lane)) return true;
    return false;
  }

  /** Half of the connected workers that may be given tasks, but at least one: as many may be kept for a single task each. */
  get aloneMax(): number {
    let count = this.alone.size;
    for (const group of this.#groups.values()) count += group.members;
    return Math.max(1, Math.floor(count / 2));
  }

  /** Workers with equal load are chosen in the order in which they were last given something. */
  takeTurn(worker: LiveWorker): void {
    this.#lastTurn += 1;
    worker.turn = this.#lastTurn;
  }

  /** Called by a worker whenever what it offers, whether it may be given tasks, or its free slots have changed. */
  update(worker: LiveWorker): void {
    if (worker.keptFor === null) this.alone.delete(worker);
    else this.alone.add(worker);
    const group = worker.isEligible && worker.keptFor === null ? this.#groupOf(worker) : null;
    if (worker.group !== group) this.#move(worker, group);
    if (group === null) return;
    const { slot } = worker;
    if (slot.heapIndex !== -1) group.slots.remove(slot);
    if (worker.hasFreeSlot) group.slots.push(slot);
    this.#placeGroup(group);
  }

  #move(worker: LiveWorker, group: WorkerGroup | null): void {
    const before = worker.group;
    worker.group = group;
    if (group !== null) group.members += 1;
    if (before === null) return;
    before.members -= 1;
    if (worker.slot.heapIndex !== -1) before.slots.remove(worker.slot);
    this.#placeGroup(before);
    if (before.members === 0) this.#groups.delete(before.offer.key);
  }

  #groupOf({ offer }: LiveWorker): WorkerGroup {
    let group = this.#groups.get(offer.key);
    if (group === undefined) {
      group = new WorkerGroup(offer);
      this.#groups.set(offer.key, group);
      for (const lane of this.#byKey.values()) if (group.offer.serves(lane)) this.#connect(group, lane);
    }
    return group;
  }

  #connect(group: WorkerGroup, lane: Lane): void {
    group.lanes.add(lane);
    if (group.isFree) lane.free.add(group);
    this.#place(lane);
  }

  /** Tells the lanes that a group serves whether it has a free slot. */
  #placeGroup(group: WorkerGroup): void {
    const isFree = group.slots.size > 0;
    if (isFree === group.isFree) return;
    group.isFree = isFree;
    for (const lane of group.lanes) {
      if (isFree) lane.free.add(group);
      else lane.free.delete(group);
      if (lane.ready.size > 0 && lane.isOpen !== (lane.heapIndex !== -1)) this.#place(lane);
    }
  }

  /** Puts the lane where its first task belongs among the open ones, or takes it out. */
  #place(lane: Lane): void {
    if (lane.heapIndex !== -1) this.#open.remove(lane);
    if (lane.isOpen) this.#open.push(lane);
  }
}

function laneKey({ queue, kind, requires }: Pick<TaskHead, "queue" | "kind" | "requires">): string {
  return requires === undefined || requires.length === 0
    ? `${queue} ${kind}`
    : `${queue} ${kind} ${requires.join(" ")}`;
}
