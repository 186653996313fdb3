/**
 * What a leader starts from, as of one instant. The tasks are read while others write; then the journal is read up to its end, and what
 * it says of tasks since the reading began is put over them. So the instant is that of the end, and nothing need stand still.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { CollectionName } from "../../model/collections/table.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { isFinal, taskStates } from "../../model/task.ts";
import { type LiveTask, type LiveView, StoreRefused } from "../../ports/store.ts";
import { toHead, toStatus } from "../documents.ts";
import type { Connection } from "./connection.ts";
import { toStateCounts } from "./derived.ts";
import type { DocumentWriter } from "./documentWriter.ts";
import { isGone, isWhole, type Overlay } from "./overlay.ts";
import { overlaidRecords, RecordReader } from "./records.ts";
import { decodeTask, overlaid, type TaskRow, toKey, toTaskId } from "./taskDocument.ts";
import type { JournalWindow } from "./window.ts";

const compression = { level: 1 };

export async function loadLiveView(
  connection: Connection,
  window: JournalWindow,
  collections: readonly CollectionName[],
  documents: DocumentWriter,
): Promise<LiveView> {
  for (let isRestored = false; ; ) {
    await window.sync();
    const pin = window.pin();
    try {
      const batches = new Batches();
      await readStoredTasks(connection, window, batches);
      const stored = await new RecordReader(connection).all(collections);
      await window.sync();
      if (pin.isBroken) continue;
      const overlay = pin.overlay.copy();
      const { seq } = window.tail;
      const counts = toStateCounts(window.counts);
      const versions = window.collections;
      await readUnseenTasks(connection, overlay, batches);
      const liveCount = counts.reduce((sum, { state, count }) => (isFinal(state) ? sum : sum + count), 0);
      const found = batches.count(overlay);
      if (found !== liveCount) {
        if (isRestored) throw incomplete(connection.address.name, found, liveCount);
        isRestored = true;
        await documents.restoreLost(window.viewSeq);
        continue;
      }
      return {
        seq,
        tasks: batches.read(overlay),
        records: inTurn(overlaidRecords(collections, stored, overlay)),
        collections: versions,
        finished: counts.filter(({ state }) => isFinal(state)),
      };
    } finally {
      window.unpin(pin);
    }
  }
}

/** Unfinished tasks as they were read, compressed: a million of them need not be held twice. */
class Batches {
  /** By the state in which they were found; each in the order of creation. */
  readonly #streams = new Map<string, Buffer[]>();
  /** Of all that were read. */
  readonly #ids = new Set<TaskId>();

  add(stream: string, rows: readonly TaskRow[]): void {
    // A task whose state changed meanwhile may come twice.
    const fresh = rows.filter(({ id }) => !this.#ids.has(id));
    if (fresh.length === 0) return;
    for (const { id } of fresh) this.#ids.add(id);
    const batches = this.#streams.get(stream) ?? [];
    this.#streams.set(stream, batches);
    batches.push(deflateRawSync(JSON.stringify(fresh.map(toLight)), compression));
  }

  has(id: TaskId): boolean {
    return this.#ids.has(id);
  }

  /** How many unfinished tasks there are under this overlay. */
  count(overlay: Overlay): number {
    let count = this.#ids.size;
    for (const [id, task] of overlay.tasks) {
      const isLive = !isGone(task) && (task.status === null || !isFinal(task.status.state));
      if (this.#ids.has(id) && !isLive) count -= 1;
      else if (!this.#ids.has(id) && isLive && isWhole(task)) count += 1;
    }
    return count;
  }

  /** In the order of creation, as the queues want them. */
  async *read(overlay: Overlay): AsyncGenerator<LiveTask[]> {
    const streams: Iterator<OrderedTask>[] = [...this.#streams.values()].map((batches) => unpack(batches, overlay));
    const unseen = [...overlay.tasks].flatMap(([id, task]): OrderedTask[] =>
      !this.#ids.has(id) && isWhole(task) && !isFinal(task.status.state)
        ? [{ ord: task.ord, live: { head: toHead(task.specText), status: task.status, seq: task.statusSeq } }]
        : [],
    );
    streams.push(unseen.toSorted((one, other) => one.ord - other.ord).values());
    let batch: LiveTask[] = [];
    for (const { live } of merge(streams)) {
      batch.push(live);
      if (batch.length < limits.storeStepRowsMax) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }
}

interface OrderedTask {
  readonly ord: number;
  readonly live: LiveTask;
}

function* unpack(batches: readonly Buffer[], overlay: Overlay): Generator<OrderedTask> {
  for (const batch of batches) {
    for (const { head, ord, statusText, seq } of JSON.parse(inflateRawSync(batch).toString()) as LightTask[]) {
      const pending = overlay.tasks.get(head.id);
      if (pending === undefined || seq >= pending.seq) {
        yield { ord, live: { head, status: toStatus(statusText), seq } };
        continue;
      }
      if (isGone(pending) || pending.status === null || isFinal(pending.status.state)) continue;
      const later = pending.spec === null ? head : toHead(pending.specText);
      yield { ord: pending.ord ?? ord, live: { head: later, status: pending.status, seq: pending.statusSeq } };
    }
  }
}

function* merge(streams: readonly Iterator<OrderedTask>[]): Generator<OrderedTask> {
  const heads = streams.map((stream) => stream.next());
  for (;;) {
    let first = -1;
    for (const [index, head] of heads.entries()) {
      const best = heads[first];
      if (head.done !== true && (best === undefined || best.done === true || head.value.ord < best.value.ord))
        first = index;
    }
    const head = heads[first];
    const stream = streams[first];
    if (head === undefined || head.done === true || stream === undefined) return;
    yield head.value;
    heads[first] = stream.next();
  }
}

/** A task without its payload. */
interface LightTask {
  readonly ord: number;
  readonly head: LiveTask["head"];
  readonly statusText: string;
  readonly seq: number;
}

function toLight({ ord, specText, statusText, seq }: TaskRow): LightTask {
  return { ord, head: toHead(specText), statusText, seq };
}

/** One state after the other, each in the order of creation: what did not change meanwhile is found for certain. */
async function readStoredTasks(connection: Connection, window: JournalWindow, batches: Batches): Promise<void> {
  for (const state of taskStates.filter((one) => !isFinal(one))) {
    let span: number = limits.storeStepRowsMax;
    for (let low = 0; low < window.ordMax; ) {
      const rows = await connection.tasks
        .find({ "outlast.state": state, "outlast.ord": { $gt: low, $lte: low + span } })
        .sort({ "outlast.ord": 1 })
        .limit(limits.storeStepRowsMax)
        .toArray();
      const found = rows.map(decodeTask).filter((row) => row !== null);
      batches.add(state, found);
      const isFull = rows.length === limits.storeStepRowsMax;
      low = isFull ? (found.at(-1)?.ord ?? low + span) : low + span;
      // Most places may be those of tasks that were forgotten long since.
      if (isFull) span = Math.max(limits.storeStepRowsMax, Math.floor(span / 4));
      else if (rows.length < limits.storeStepRowsMax / 4) span *= 4;
    }
  }
}

/** Unfinished tasks that were in no state when that state was read; the journal tells how they stand, and their documents what they are. */
async function readUnseenTasks(connection: Connection, overlay: Overlay, batches: Batches): Promise<void> {
  const ids = [...overlay.tasks].flatMap(([id, task]) => {
    const isLive = task.status === null || !isFinal(task.status.state);
    return isLive && !isGone(task) && !isWhole(task) && !batches.has(id) ? [id] : [];
  });
  for (let start = 0; start < ids.length; start += limits.storeStepRowsMax) {
    const keys = ids.slice(start, start + limits.storeStepRowsMax).map((id) => toKey(id, connection));
    const documents = await connection.tasks.find({ _id: { $in: keys } }).toArray();
    const rows = documents.map((document) => {
      const id = toTaskId(document._id);
      return overlaid(id, overlay.tasks.get(id), document);
    });
    const found = rows.filter((row) => row !== null).toSorted((one, other) => one.ord - other.ord);
    batches.add(`unseen ${start}`, found);
  }
}

async function* inTurn<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

function incomplete(name: string, found: number, expected: number): StoreRefused {
  return new StoreRefused(
    `${name} should hold ${expected} unfinished tasks, and ${found} were found in the collection \`tasks\`.`,
    "Something other than Outlast has removed or changed documents there. Restore them from a backup.",
  );
}
