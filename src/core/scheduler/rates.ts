/** Rate limits of queues: which starts still count, when the next one is free, and what of that goes into the journal. */
import type { QueueStarts } from "../../model/collections/queueStarts.ts";
import { limits } from "../../model/limits.ts";
import type { Batch } from "./effects.ts";
import type { Lanes } from "./lanes.ts";
import type { LiveQueue, Queues } from "./queues.ts";
import type { RecordModule } from "./recordModule.ts";

export class Rates implements RecordModule<QueueStarts> {
  readonly #queues: Queues;
  readonly #lanes: Lanes;
  readonly #rated = new Set<LiveQueue>();
  readonly #touched = new Set<LiveQueue>();

  constructor(queues: Queues, lanes: Lanes) {
    this.#queues = queues;
    this.#lanes = lanes;
  }

  put(name: string, record: QueueStarts | null): void {
    const queue = this.#queues.open(name);
    queue.starts = [...(record?.starts ?? [])];
    this.#lanes.refresh(queue);
    this.#queues.dropIfUnused(queue);
  }

  recordOf(name: string): QueueStarts | null {
    const starts = this.#queues.get(name)?.starts ?? [];
    return starts.length === 0 ? null : { name, starts: [...starts] };
  }

  /** Must be called when the rate of a queue has been set. */
  watch(queue: LiveQueue): void {
    if (queue.rate === null) this.#rated.delete(queue);
    else this.#rated.add(queue);
  }

  /** Without a rate its starts count for nothing: the queue is not kept for them. Must be followed by `dropIfUnused`. */
  dropStarts(queue: LiveQueue): void {
    if (queue.rate !== null || queue.starts.length === 0) return;
    queue.starts = [];
    this.#touched.add(queue);
  }

  /** Earlier versions have left starts of queues that have no rate any more. */
  dropLeftovers(): void {
    for (const queue of [...this.#queues]) {
      this.dropStarts(queue);
      this.#queues.dropIfUnused(queue);
    }
  }

  /** One of its tasks is started now. */
  noteStart(queue: LiveQueue, now: number): void {
    const { rate, starts } = queue;
    if (rate === null) return;
    const last = starts.at(-1);
    // Where there may be more different instants than are kept, those of a short stretch count as its last one: never too early.
    const widthMs = rate.count > limits.rateInstantsMax ? rate.perMs / (limits.rateInstantsMax - 1) : 1;
    const stretchOf = (at: number) => Math.floor(at / widthMs);
    const isMerged =
      last !== undefined && (stretchOf(last[0]) >= stretchOf(now) || starts.length >= limits.rateInstantsMax);
    if (isMerged) starts.pop();
    starts.push([Math.max(now, last?.[0] ?? now), isMerged ? last[1] + 1 : 1]);
    this.#touched.add(queue);
    this.#lanes.refresh(queue);
  }

  /** Forgets the starts that no longer count. The leader before may have had a clock that was ahead: none is later than now. */
  prune(now: number): void {
    for (const queue of this.#rated) {
      const { rate, starts } = queue;
      if (rate === null || starts.length === 0) continue;
      const isAhead = starts.some(([at]) => at > now);
      const left = starts
        .map(([at, count]) => [Math.min(at, now), count] as const)
        .filter(([at]) => at > now - rate.perMs);
      if (!isAhead && left.length === starts.length) continue;
      queue.starts = left;
      // What nobody waits for need not be in the journal; but an empty list is said once.
      if (left.length === 0 || isAhead) this.#touched.add(queue);
      this.#lanes.refresh(queue);
    }
  }

  /** When a queue whose rate is used up may start tasks again; null if there is none. */
  get nextWakeAt(): number | null {
    let next: number | null = null;
    for (const { rate, starts } of this.#rated) {
      const first = starts[0];
      if (rate === null || first === undefined) continue;
      const freeAt = first[0] + rate.perMs;
      if (next === null || freeAt < next) next = freeAt;
    }
    return next;
  }

  writeTouched(batch: Batch): void {
    for (const queue of this.#touched) {
      const { name } = queue;
      batch.out.writes.push({ kind: "record", collection: "queueStarts", id: name, value: this.recordOf(name) });
    }
    this.#touched.clear();
  }
}
