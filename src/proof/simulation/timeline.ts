/** The one heap of events that a simulation consists of, ordered by (time, order of planning), and the virtual time it makes. */
import { hashText } from "../checkers/hashText.ts";

/** Taken before the world is sealed (see forbidden.ts): the only door to real time that stays open. */
const nextTurn = setImmediate;

/** More events than this at one instant can only be something that wakes itself without letting time pass. */
const atOnceMax = 1_000_000;

/** So many events run in one turn of Node's own loop: a turn costs more than most events. */
const eventsPerTurn = 64;

export interface Planned {
  cancel(): void;
}

interface PlannedEvent extends Planned {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

/** Told of every line of the trace, in order; for `--trace` and for the story of a failing seed. */
export type TraceListener = (at: number, line: string) => void;

export class Timeline {
  /** True time in ms since the world began; no node ever sees it. */
  now = 0;
  readonly #heap: PlannedEvent[] = [];
  /** How many events have run at the present instant. */
  #atOnce = 0;
  #planned = 0;
  #done = 0;
  #hash = 0x811c9dc5;
  readonly #listeners: TraceListener[] = [];

  /** Told what an event threw; nothing in the world may throw where nobody catches it. */
  onBroken: (error: unknown) => void = (error) => {
    throw error;
  };

  get eventsDone(): number {
    return this.#done;
  }

  /** What two runs of one seed must agree on. */
  get traceHash(): number {
    return this.#hash;
  }

  onTrace(listener: TraceListener): void {
    this.#listeners.push(listener);
  }

  trace(line: string): void {
    this.#hash = hashText(line, this.#hash ^ this.now);
    for (const listener of this.#listeners) listener(this.now, line);
  }

  /** Plans `run` for `afterMs` from now; events of one instant run in the order they were planned in. */
  after(afterMs: number, run: () => void): Planned {
    if (!Number.isFinite(afterMs)) throw new Error(`something was planned for ${afterMs} ms from now`);
    const event: PlannedEvent = {
      at: this.now + Math.max(0, Math.round(afterMs)),
      order: this.#planned++,
      run,
      cancel() {
        this.run = null;
      },
    };
    this.#push(event);
    return event;
  }

  /** Runs events until `until` is reached or `isDone` says so. Every event has all its promises settled before the next. */
  run(until: number, isDone: () => boolean): Promise<void> {
    let hasBegun = false;
    return everyTurn(() => {
      if (hasBegun && isDone()) return "over";
      hasBegun = true;
      return this.#runNext(until);
    });
  }

  #runNext(until: number): "goes on" | "over" {
    let event = this.#heap[0];
    while (event !== undefined && event.at <= until && event.run === null) {
      this.#pop();
      event = this.#heap[0];
    }
    if (event === undefined || event.at > until || event.run === null) {
      this.now = Math.max(this.now, until);
      return "over";
    }
    this.#pop();
    this.#atOnce = event.at === this.now ? this.#atOnce + 1 : 0;
    this.now = event.at;
    this.#done += 1;
    if (this.#atOnce > atOnceMax) {
      this.onBroken(new Error(`time stands still: something at ${this.now} ms never ends`));
      return "over";
    }
    try {
      event.run();
    } catch (error) {
      this.onBroken(error);
    }
    return "goes on";
  }

  #push(event: PlannedEvent): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}

function isBefore(left: PlannedEvent, right: PlannedEvent): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

/** Calls `act` until it is over. Before each further call, Node has run all promise callbacks and told of unhandled rejections. */
function everyTurn(act: () => "goes on" | "over"): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const actOnce = (): void => {
      if (isOver) return;
      try {
        isOver = act() === "over";
      } catch (error) {
        isOver = true;
        reject(error instanceof Error ? error : new Error(String(error)));
      }
      if (isOver) resolve();
    };
    // Node settles promises between two callbacks of one turn as it does between turns; the shells do no real I/O here.
    const planTurn = (): void => {
      if (isOver) return;
      for (let count = 0; count < eventsPerTurn; count++) nextTurn(actOnce);
      nextTurn(planTurn);
    };
    planTurn();
  });
}
