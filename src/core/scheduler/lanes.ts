/**
 * Brings waiting tasks and free workers together. What it costs to find the next assignment depends on how many lanes hold
 * tasks that a free worker could take; neither the backlog of a lane nor the number of idle workers matters.
 */
import { type WorkerId, workerOf } from "../../model/ids.ts";
import type { TaskHead } from "../../model/task.ts";
import { Heap } from "../heap.ts";
import { KeyGroups } from "./keyGroups.ts";
import { headStartsBefore, Lane, laneKey, startsBefore } from "./lane.ts";
import type { LiveTask, TaskLane } from "./liveTask.ts";
import type { LiveWorker, WorkerPlaces } from "./liveWorker.ts";
import type { LiveQueue, Queues } from "./queues.ts";
import { isLighter, Slot, WorkerGroup } from "./workerGroup.ts";

export class Lanes implements WorkerPlaces {
  readonly #queues: Queues;
  readonly #byKey = new Map<string, TaskLane>();
  readonly #byQueue = new Map<LiveQueue, Set<TaskLane>>();
  readonly #groups = new Map<string, WorkerGroup>();
  /** Of each lane: the groups that serve it and have a free slot. */
  readonly #free = new Map<TaskLane, Set<WorkerGroup>>();
  /** Workers that may be given tasks, each in its group. */
  readonly #slots = new Map<LiveWorker, Slot>();
  readonly #members = new Map<WorkerId, LiveWorker>();
  /** How many lanes are for this worker alone. */
  readonly #naming = new Map<WorkerId, number>();
  readonly #open = new Heap<TaskLane>(headStartsBefore);
  /** Tasks that could start now and must run alone; see isolation.ts. They do not stand in their lanes. */
  readonly suspects = new Heap<LiveTask>(startsBefore);
  /** Workers that are kept for one such task, until it has ended. */
  readonly alone = new Set<LiveWorker>();
  readonly #keys = new KeyGroups<LiveTask, TaskLane>({
    ...{ useOf: (task) => task.keyUse, isBefore: startsBefore, laneOf: (task) => task.lane },
    put: (task) => this.#enter(task),
    take: (task) => this.#leave(task),
  });
  /** A task with a unique key stands here until no other one with it runs or is ending. */
  readonly #unique = new KeyGroups<LiveTask, TaskLane>({
    ...{ useOf: (task) => task.uniqueUse, isBefore: startsBefore, laneOf: (task) => task.lane },
    put: (task) => this.#lineUp(task),
    take: (task) => this.#stepBack(task),
  });
  /** Lanes of tasks that masters decide themselves. */
  readonly #own = new Set<TaskLane>();
  #lastTurn = 0;

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  [Symbol.iterator](): Iterator<TaskLane> {
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
  enter(head: TaskHead): TaskLane {
    const key = laneKey(head);
    let lane = this.#byKey.get(key);
    if (lane === undefined) {
      lane = new Lane(this.#queues.open(head.queue), head);
      this.#byKey.set(key, lane);
      this.#add(lane);
    }
    lane.size += 1;
    return lane;
  }

  #add(lane: TaskLane): void {
    const { queue } = lane;
    const ofQueue = this.#byQueue.get(queue) ?? new Set();
    this.#byQueue.set(queue, ofQueue.add(lane));
    queue.laneCount += 1;
    this.#free.set(lane, new Set());
    if (lane.needsNoWorker) this.#own.add(lane);
    for (const group of this.#groups.values()) if (group.offer.serves(lane)) this.#connect(group, lane);
    const worker = workerOf(lane.requires);
    if (worker !== null) this.#countNaming(worker, 1);
  }

  /** A task of this lane has ended. */
  leave(lane: TaskLane): void {
    lane.size -= 1;
    if (lane.size > 0) return;
    this.#byKey.delete(lane.key);
    const { queue } = lane;
    const ofQueue = this.#byQueue.get(queue);
    ofQueue?.delete(lane);
    if (ofQueue?.size === 0) this.#byQueue.delete(queue);
    queue.laneCount -= 1;
    this.#free.delete(lane);
    this.#own.delete(lane);
    for (const group of this.#groups.values()) group.lanes.delete(lane);
    const worker = workerOf(lane.requires);
    if (worker !== null) this.#countNaming(worker, -1);
    this.#queues.dropIfUnused(queue);
  }

  /** A worker that lanes name is the only one of its group: what it can take, no other can. */
  #countNaming(id: WorkerId, by: 1 | -1): void {
    const count = (this.#naming.get(id) ?? 0) + by;
    if (count > 0) this.#naming.set(id, count);
    else this.#naming.delete(id);
    const worker = this.#members.get(id);
    if (worker !== undefined) this.update(worker);
  }

  /** The task could start now, as far as everything but its keys goes. */
  enqueue(task: LiveTask): void {
    if (task.uniqueUse === null) this.#lineUp(task);
    else this.#unique.enqueue(task, task.uniqueUse);
  }

  dequeue(task: LiveTask): void {
    if (task.uniqueUse === null) this.#stepBack(task);
    else this.#unique.dequeue(task, task.uniqueUse);
  }

  #lineUp(task: LiveTask): void {
    if (task.keyUse === null) this.#enter(task);
    else this.#keys.enqueue(task, task.keyUse);
  }

  #stepBack(task: LiveTask): void {
    if (task.keyUse === null) this.#leave(task);
    else this.#keys.dequeue(task, task.keyUse);
  }

  /** A task with this unique key has begun to run or to end, or a process of it is ending (1); or no longer so (-1). */
  countUnique(group: string, by: 1 | -1): void {
    this.#unique.count(group, by);
  }

  /** Tasks of a lane that could start as far as everything but a key goes, and wait for that. */
  waitingForKeys(lane: TaskLane): { readonly key: number; readonly uniqueKey: number } {
    return { key: this.#keys.waitingOf(lane), uniqueKey: this.#unique.waitingOf(lane) };
  }

  heldUnique(group: string): number {
    return this.#unique.held(group);
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
    for (const lane of this.#byQueue.get(queue) ?? []) this.#place(lane);
  }

  /** True if a task waits that a worker with a free slot could take. */
  get hasMatch(): boolean {
    return this.#open.size > 0;
  }

  /** The task that starts next and the worker that gets it; undefined if no ready task has a worker with a free slot. */
  next(): { readonly task: LiveTask; readonly worker: LiveWorker } | undefined {
    const lane = this.#open.peek();
    const task = lane?.ready.peek();
    const worker = lane === undefined ? undefined : this.#lightestWorker(lane);
    return task === undefined || worker === undefined ? undefined : { task, worker };
  }

  /** Of all workers with a free slot that serve this lane, the one with the lightest load. */
  #lightestWorker(lane: TaskLane): LiveWorker | undefined {
    let lightest: Slot | undefined;
    for (const group of this.#free.get(lane) ?? []) {
      const slot = group.slots.peek();
      if (slot !== undefined && (lightest === undefined || isLighter(slot, lightest))) lightest = slot;
    }
    return lightest?.worker;
  }

  /** A task that needs no worker and could begin now. */
  nextOwn(): LiveTask | undefined {
    for (const lane of this.#own) {
      if (lane.ready.size === 0 || lane.queue.isPaused) continue;
      if (!lane.isBroadcast || this.#couldRun(lane)) return lane.ready.peek();
    }
    return undefined;
  }

  /** True if some connected worker could run the part of a broadcast that falls to it. */
  #couldRun(lane: TaskLane): boolean {
    for (const group of this.#groups.values()) if (group.offer.couldRun(lane)) return true;
    for (const worker of this.alone) if (worker.offer.couldRun(lane)) return true;
    return false;
  }

  /** True if some connected worker serves the queue of this lane, can run its kind and carries its labels. */
  isServed(lane: TaskLane): boolean {
    for (const group of this.#groups.values()) if (group.lanes.has(lane)) return true;
    for (const worker of this.alone) if (worker.offer.serves(lane)) return true;
    return false;
  }

  /** True if a worker that could take the tasks of this lane has a free slot. */
  hasFreeWorker(lane: TaskLane): boolean {
    return (this.#free.get(lane)?.size ?? 0) > 0;
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
    let slot = this.#slots.get(worker);
    if (slot !== undefined && slot.group !== group) {
      this.#leaveGroup(slot);
      slot = undefined;
    }
    if (group === null) return;
    slot ??= this.#joinGroup(worker, group);
    if (slot.heapIndex !== -1) group.slots.remove(slot);
    if (worker.hasFreeSlot) group.slots.push(slot);
    this.#placeGroup(group);
  }

  #joinGroup(worker: LiveWorker, group: WorkerGroup): Slot {
    const slot = new Slot(worker, group);
    this.#slots.set(worker, slot);
    this.#members.set(worker.id, worker);
    group.members += 1;
    return slot;
  }

  #leaveGroup(slot: Slot): void {
    const { worker, group } = slot;
    this.#slots.delete(worker);
    this.#members.delete(worker.id);
    group.members -= 1;
    if (slot.heapIndex !== -1) group.slots.remove(slot);
    this.#placeGroup(group);
    if (group.members === 0) this.#groups.delete(group.offer.key);
  }

  #groupOf({ id, offer: own, sharedOffer }: LiveWorker): WorkerGroup {
    const offer = this.#naming.has(id) ? own : sharedOffer;
    let group = this.#groups.get(offer.key);
    if (group === undefined) {
      group = new WorkerGroup(offer);
      this.#groups.set(offer.key, group);
      for (const lane of this.#byKey.values()) if (group.offer.serves(lane)) this.#connect(group, lane);
    }
    return group;
  }

  #connect(group: WorkerGroup, lane: TaskLane): void {
    group.lanes.add(lane);
    if (group.isFree) this.#free.get(lane)?.add(group);
    this.#place(lane);
  }

  /** Tells the lanes that a group serves whether it has a free slot. */
  #placeGroup(group: WorkerGroup): void {
    const isFree = group.slots.size > 0;
    if (isFree === group.isFree) return;
    group.isFree = isFree;
    for (const lane of group.lanes) {
      const free = this.#free.get(lane);
      if (isFree) free?.add(group);
      else free?.delete(group);
      if (lane.ready.size > 0 && this.#isOpen(lane) !== (lane.heapIndex !== -1)) this.#place(lane);
    }
  }

  /** Puts the lane where its first task belongs among the open ones, or takes it out. */
  #place(lane: TaskLane): void {
    if (lane.heapIndex !== -1) this.#open.remove(lane);
    if (this.#isOpen(lane)) this.#open.push(lane);
  }

  /** True if its first task could start now, on a worker that has a free slot now. */
  #isOpen(lane: TaskLane): boolean {
    return lane.ready.size > 0 && this.hasFreeWorker(lane) && lane.queue.isOpen;
  }
}
