/**
 * Concurrency keys: of all tasks with one key, only so many run at a time. Tasks that wait for their key stand in a line of
 * their own, one for each key and lane, and at most the first of a line stands in its lane. So a lane never holds a task that must
 * not start, a capped key never blocks others, and a key costs nothing while none of its tasks waits.
 */
import { Heap, type HeapItem } from "../heap.ts";

/** The key of a task. Its scope is (queue, key), over all kinds. */
export interface KeyUse {
  readonly group: string;
  /** It starts only while fewer attempts with this key than that run, or still hold the key while they are ending. */
  readonly max: number;
}

/** The scope of a concurrency key. */
export function keyGroup(queue: string, key: string): string {
  return `${queue} ${key}`;
}

/** How the owner of the lanes moves an item in and out of its lane. */
export interface Places<Item, Lane> {
  useOf(item: Item): KeyUse | null;
  isBefore(a: Item, b: Item): boolean;
  laneOf(item: Item): Lane;
  put(item: Item): void;
  take(item: Item): void;
}

interface Line<Item extends HeapItem> {
  readonly waiting: Heap<Item>;
  /** The one that stands in the lane. */
  placed: Item | null;
}

interface Group<Item extends HeapItem, Lane> {
  /** Attempts that run, and those that are over for the leader while their processes may still be ending. */
  held: number;
  readonly lines: Map<Lane, Line<Item>>;
}

export class KeyGroups<Item extends HeapItem, Lane> {
  readonly #places: Places<Item, Lane>;
  readonly #groups = new Map<string, Group<Item, Lane>>();
  /** How many wait for a key, of each lane of which some do. */
  readonly #waiting = new Map<Lane, number>();

  constructor(places: Places<Item, Lane>) {
    this.#places = places;
  }

  /** Keys of which a task runs or waits. */
  get size(): number {
    return this.#groups.size;
  }

  /** Of a lane: how many wait for their key. */
  waitingOf(lane: Lane): number {
    return this.#waiting.get(lane) ?? 0;
  }

  held(name: string): number {
    return this.#groups.get(name)?.held ?? 0;
  }

  /** The item could start as far as everything but its key goes. */
  enqueue(item: Item, { group: name }: KeyUse): void {
    const group = this.#open(name);
    const lane = this.#places.laneOf(item);
    let line = group.lines.get(lane);
    if (line === undefined) {
      line = { waiting: new Heap<Item>((a, b) => this.#places.isBefore(a, b)), placed: null };
      group.lines.set(lane, line);
    }
    this.#wait(line, item);
    this.#settleLine(group, line);
  }

  dequeue(item: Item, { group: name }: KeyUse): void {
    const group = this.#groups.get(name);
    const lane = this.#places.laneOf(item);
    const line = group?.lines.get(lane);
    if (group === undefined || line === undefined) throw new Error(`No task waits for the key ${name}.`);
    if (line.placed === item) {
      this.#places.take(item);
      line.placed = null;
    } else this.#stopWaiting(line, item);
    this.#settleLine(group, line);
    if (line.placed === null && line.waiting.size === 0) group.lines.delete(lane);
    this.#dropIfUnused(name, group);
  }

  /** An attempt with this key has begun to hold it (1), or no longer does (-1). */
  count(name: string, by: 1 | -1): void {
    const group = this.#open(name);
    group.held += by;
    for (const line of group.lines.values()) this.#settleLine(group, line);
    this.#dropIfUnused(name, group);
  }

  #open(name: string): Group<Item, Lane> {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { held: 0, lines: new Map() };
      this.#groups.set(name, group);
    }
    return group;
  }

  #dropIfUnused(name: string, group: Group<Item, Lane>): void {
    if (group.held === 0 && group.lines.size === 0) this.#groups.delete(name);
  }

  /** Lets the first of the line stand in its lane if its key has room for it, and nobody if not. */
  #settleLine(group: Group<Item, Lane>, line: Line<Item>): void {
    const { placed, waiting } = line;
    const first = waiting.peek();
    if (placed !== null) {
      const isOvertaken = first !== undefined && this.#places.isBefore(first, placed);
      if (this.#hasRoom(group, placed) && !isOvertaken) return;
      this.#places.take(placed);
      this.#wait(line, placed);
      line.placed = null;
    }
    const next = waiting.peek();
    if (next === undefined || !this.#hasRoom(group, next)) return;
    this.#stopWaiting(line, next);
    line.placed = next;
    this.#places.put(next);
  }

  #wait({ waiting }: Line<Item>, item: Item): void {
    waiting.push(item);
    this.#countWaiting(item, 1);
  }

  #stopWaiting({ waiting }: Line<Item>, item: Item): void {
    waiting.remove(item);
    this.#countWaiting(item, -1);
  }

  #countWaiting(item: Item, by: 1 | -1): void {
    const lane = this.#places.laneOf(item);
    const count = this.waitingOf(lane) + by;
    if (count === 0) this.#waiting.delete(lane);
    else this.#waiting.set(lane, count);
  }

  #hasRoom({ held }: { readonly held: number }, item: Item): boolean {
    const use = this.#places.useOf(item);
    return use !== null && held < use.max;
  }
}
