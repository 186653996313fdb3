/** The one heap of events that a simulation consists of, ordered by (time, order of planning), and the virtual time it makes. */
import { hashText } from "../checkers/hashText.ts";

/** Taken before the world is sealed (see forbidden.ts): the only door to real time that stays open. */
const nextTurn = setImmediate;

/** More events than this at one instant can only be something that wakes itself without letting time pass. */
const atOnceMax = 1_000_000;

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
  async run(until: number, isDone: () => boolean): Promise<void> {
    for (let event = this.#heap[0]; event !== undefined && event.at <= until; event = this.#heap[0]) {
      this.#pop();
      const { run } = event;
      if (run === null) continue;
      this.#atOnce = event.at === this.now ? this.#atOnce + 1 : 0;
      this.now = event.at;
      this.#done += 1;
      if (this.#atOnce > atOnceMax)
        return this.onBroken(new Error(`time stands still: something at ${this.now} ms never ends`));
      try {
        run();
      } catch (error) {
        this.onBroken(error);
      }
      // Promise callbacks all run before the next turn of Node's own loop; the shells do no real I/O here.
      await new Promise<void>((resolve) => nextTurn(resolve));
      if (isDone()) return;
    }
    this.now = Math.max(this.now, until);
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
