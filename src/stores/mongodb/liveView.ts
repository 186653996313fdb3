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
import { isGone, isWhole, type Overlay } from "./overlay.ts";
import { overlaidRecords, RecordReader } from "./records.ts";
import { decodeTask, overlaid, type TaskRow, toKey, toTaskId } from "./taskDocument.ts";
import type { JournalWindow } from "./window.ts";

const compression = { level: 1 };

export async function loadLiveView(
  connection: Connection,
  window: JournalWindow,
  collections: readonly CollectionName[],
): Promise<LiveView> {
  for (;;) {
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
      if (found !== liveCount) throw incomplete(connection.address.name, found, liveCount);
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
  readonly #batches: Buffer[] = [];
  /** Of all that were read. */
  readonly #ids = new Set<TaskId>();

  add(rows: readonly TaskRow[]): void {
    // A task whose state changed meanwhile may come twice.
    const fresh = rows.filter(({ id }) => !this.#ids.has(id));
    for (const { id } of fresh) this.#ids.add(id);
    if (fresh.length > 0) this.#batches.push(deflateRawSync(JSON.stringify(fresh.map(toLight)), compression));
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

  async *read(overlay: Overlay): AsyncGenerator<LiveTask[]> {
    for (const batch of this.#batches) {
      const light = JSON.parse(inflateRawSync(batch).toString()) as LightTask[];
      const tasks = light.flatMap((task) => {
        const { head, statusText, seq } = task;
        const pending = overlay.tasks.get(head.id);
        if (pending === undefined || seq >= pending.seq) return [{ head, status: toStatus(statusText), seq }];
        if (isGone(pending) || pending.status === null || isFinal(pending.status.state)) return [];
        const later = pending.spec === null ? head : toHead(pending.specText);
        return [{ head: later, status: pending.status, seq: pending.statusSeq }];
      });
      yield tasks.filter(({ status }) => !isFinal(status.state));
    }
    const rest = [...overlay.tasks].flatMap(([id, task]): LiveTask[] =>
      !this.#ids.has(id) && isWhole(task) && !isFinal(task.status.state)
        ? [{ head: toHead(task.specText), status: task.status, seq: task.statusSeq }]
        : [],
    );
    for (let start = 0; start < rest.length; start += limits.storeStepRowsMax) {
      yield rest.slice(start, start + limits.storeStepRowsMax);
    }
  }
}

/** A task without its payload. */
interface LightTask {
  readonly head: LiveTask["head"];
  readonly statusText: string;
  readonly seq: number;
}

function toLight({ specText, statusText, seq }: TaskRow): LightTask {
  return { head: toHead(specText), statusText, seq };
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
      batches.add(found);
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
    batches.add(rows.filter((row) => row !== null));
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
