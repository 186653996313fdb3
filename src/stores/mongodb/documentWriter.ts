/** Writes what a batch of entries says into the collections, each document only if it is older than that. */
import type { AnyBulkWriteOperation, Collection, Document } from "mongodb";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { Connection, StoredDocument, TaskKey } from "./connection.ts";
import { ForeignDocuments } from "./foreignDocuments.ts";
import { clashTriesMax, insertNew, type Put, putNewer } from "./guardedPut.ts";
import type { JournalCollection } from "./journal.ts";
import {
  isGone,
  isWhole,
  Overlay,
  type PendingRecord,
  type PendingTask,
  recordKey,
  recordSum,
  type Step,
  toOutgoing,
  toStep,
} from "./overlay.ts";
import {
  encodeSpec,
  encodeStatus,
  encodeTask,
  encodeTombstone,
  forgottenState,
  halfOf,
  seqOf,
  toKey,
} from "./taskDocument.ts";

/** What is to become of one task's document. */
interface Change {
  readonly id: TaskId;
  readonly key: TaskKey;
  readonly task: PendingTask;
  /** The spec that it was adopted with, also where the task is forgotten by now; null if it was not adopted here. */
  readonly adopted: TaskSpec | null;
}

export class DocumentWriter {
  readonly #connection: Connection;
  readonly #journal: JournalCollection;
  readonly #foreign: ForeignDocuments;

  constructor(connection: Connection, journal: JournalCollection) {
    this.#connection = connection;
    this.#journal = journal;
    this.#foreign = new ForeignDocuments(connection);
  }

  async write(overlay: Overlay, steps: readonly Step[]): Promise<void> {
    const forgotten = new Set(steps.flatMap(({ changes }) => [...changes.forgottenTasks]));
    const origins = adoptedIn(steps);
    const changes = [...overlay.tasks].map(([id, task]) => this.#toChange(id, task, origins.get(id) ?? null));
    const reborn = changes.filter(({ id }) => forgotten.has(id));
    // Before what belonged to forgotten tasks is removed: it may be among these.
    await inChunks([...overlay.records.values()], (some) => this.#putRecords(some));
    if (reborn.length > 0) await this.#removeBelongings(reborn, steps);
    const fresh = changes.filter(({ id, task }) => isWhole(task) && !forgotten.has(id));
    const adopted = fresh.filter(({ task }) => task.spec?.adoptedFrom !== undefined);
    await inChunks(
      fresh.filter(({ task }) => task.spec?.adoptedFrom === undefined),
      (some) => this.#insert(some),
    );
    await inChunks(adopted, (some) => this.#claim(some), mongodbLimits.claimStepMax);
    await inChunks(
      changes.filter(({ task }) => !isWhole(task) && !isGone(task)),
      (some) => this.#update(some),
    );
    await inChunks(reborn, (some) => this.#replace(some));
  }

  #toChange(id: TaskId, task: PendingTask, adopted: TaskSpec | null): Change {
    const own = task.spec?.adoptedFrom === undefined ? null : task.spec;
    return { id, key: toKey(id, this.#connection), task, adopted: own ?? adopted };
  }

  async #insert(changes: readonly Change[]): Promise<void> {
    const documents = changes.flatMap(({ key, task }) => (isWhole(task) ? [encodeTask(task, key)] : []));
    const taken = await insertNew(this.#connection.tasks, documents);
    await this.#replace(taken.flatMap((index) => changes[index] ?? []));
  }

  /** Documents that somebody else inserted become ours, if they are still what they were. */
  async #claim(changes: readonly Change[]): Promise<void> {
    const claimed = await this.#foreign.claim(
      changes.flatMap(({ key, task }) => (isWhole(task) ? [encodeTask(task, key)] : [])),
    );
    if (claimed < changes.length) await this.#replace(changes);
  }

  async #update(changes: readonly Change[]): Promise<void> {
    const respecified = changes.filter(({ task }) => task.spec !== null);
    const found = respecified.length === 0 ? null : await this.#find(respecified, { "outlast.ord": 1 });
    const operations = changes.flatMap((change): AnyBulkWriteOperation<StoredDocument>[] => {
      const update = toUpdate(change, found?.get(String(change.key)) ?? null);
      return update === null ? [] : [{ updateOne: update }];
    });
    const { matchedCount } =
      operations.length === 0
        ? { matchedCount: 0 }
        : await this.#connection.tasks.bulkWrite(operations, { ordered: false });
    if (matchedCount < changes.length) await this.#restore(changes);
  }

  /** Makes documents again that somebody has removed, from what the journal still has. Returns how many. */
  async restoreLost(untilSeq: number): Promise<number> {
    const overlay = await this.#fold(untilSeq, () => true);
    const changes = [...overlay.tasks].map(([id, task]) => this.#toChange(id, task, null));
    let count = 0;
    await inChunks(
      changes.filter(({ task }) => isWhole(task)),
      async (some) => {
        const lost = await this.#lostAmong(some);
        await this.#replace(lost);
        count += lost.length;
      },
    );
    return count;
  }

  async #restore(changes: readonly Change[]): Promise<void> {
    const lost = new Map((await this.#lostAmong(changes)).map((change) => [change.id, change]));
    if (lost.size === 0) return;
    const untilSeq = Math.max(...changes.map(({ task }) => task.seq));
    const overlay = await this.#fold(untilSeq, (id) => lost.has(id));
    const known = [...overlay.tasks].flatMap(([id, task]) => {
      const change = lost.get(id);
      return change !== undefined && isWhole(task) ? [{ ...change, task }] : [];
    });
    await this.#replace(known);
  }

  async #lostAmong(changes: readonly Change[]): Promise<Change[]> {
    const found = await this.#find(changes, { "outlast.seq": 1 });
    return changes.filter(({ key }) => seqOf(found.get(String(key)) ?? null) === null);
  }

  /** By `_id`: some fields of what stands there. */
  async #find(changes: readonly Change[], projection: Document): Promise<Map<string, StoredDocument>> {
    const keys = changes.map(({ key }) => key);
    const documents = await this.#connection.tasks.find({ _id: { $in: keys } }, { projection }).toArray();
    return new Map(documents.map((document) => [String(document._id), document]));
  }

  /** What the journal still has, up to and with `untilSeq`. */
  async #fold(untilSeq: number, isWanted: (id: TaskId) => boolean): Promise<Overlay> {
    const overlay = new Overlay();
    for (let seq = 1; seq <= untilSeq; ) {
      const entries = await this.#journal.read(seq, limits.entriesPerReadMax);
      for (const { entry, derived } of entries) {
        if (entry.seq <= untilSeq) overlay.apply(toStep(toOutgoing(entry), derived));
      }
      for (const id of overlay.tasks.keys()) if (!isWanted(id)) overlay.tasks.delete(id);
      const last = entries.at(-1);
      if (last === undefined) break;
      seq = last.entry.seq + 1;
    }
    return overlay;
  }

  /** Puts documents where others stand, or none, or tombstones; never in the place of newer ones. */
  async #replace(changes: readonly Change[]): Promise<void> {
    for (const { change, ...put } of await putNewer(this.#connection.tasks, "outlast.seq", changes.map(toPut)))
      await this.#replaceForeign(change, put);
  }

  /** Puts a document where one stands that is not ours. */
  async #replaceForeign({ key, task, adopted }: Change, put: Put): Promise<void> {
    for (let tries = 0; tries < clashTriesMax; tries += 1) {
      const found = await this.#connection.tasks.findOne({ _id: key });
      const isForeign = found !== null && seqOf(found) === null;
      if (isForeign && (await this.#foreign.replace(found, put.document, task, adopted))) return;
      if (!isForeign && (await putNewer(this.#connection.tasks, "outlast.seq", [put])).length === 0) return;
    }
  }

  /** Logs and records of lives that are over. Done before the tombstone is written: done twice, it finds nothing. */
  async #removeBelongings(changes: readonly Change[], steps: readonly Step[]): Promise<void> {
    const fields = { "outlast.seq": 1, "outlast.state": 1, "outlast.ord": 1 };
    const documents = [...(await this.#find(changes, fields)).values()];
    const before = new Map(changes.map(({ key, task }) => [String(key), task.seq]));
    const ords = documents.flatMap((document) => {
      const seq = seqOf(document);
      const half = halfOf(document);
      const isOver = seq !== null && seq < (before.get(String(document._id)) ?? 0) && half["state"] !== forgottenState;
      return isOver && typeof half["ord"] === "number" ? [half["ord"]] : [];
    });
    for (const { id, task } of changes) {
      for (const step of steps) {
        const ord = step.ords.get(id);
        // A life that began and ended within these entries.
        if (ord !== undefined && ord !== task.ord) ords.push(ord);
      }
    }
    if (ords.length === 0) return;
    await this.#connection.logs.deleteMany({ ord: { $in: ords } });
    await this.#connection.records.deleteMany({ ord: { $in: ords } });
  }

  async #putRecords(records: readonly PendingRecord[]): Promise<void> {
    const collection = this.#connection.records as unknown as Collection<StoredDocument>;
    // Where one stands without a seq, somebody else has changed it: its checksum tells.
    await putNewer(collection, "seq", records.map(toRecordPut));
  }
}

/** Null where a new spec has no document to go into. */
function toUpdate({ id, key, task }: Change, found: StoredDocument | null) {
  const { spec, specText, seq } = task;
  if (spec === null)
    return { filter: { _id: key, "outlast.seq": { $lt: seq } }, update: { $set: encodeStatus(id, task) } };
  const { ord } = halfOf(found);
  if (typeof ord !== "number") return null;
  // Also where the seq is the entry's own: earlier versions wrote the status first, and may have died before the spec.
  const filter = { _id: key, "outlast.seq": { $lte: seq }, "outlast.ord": ord };
  return { filter, update: { $set: { ...encodeStatus(id, task), ...encodeSpec(id, ord, spec, specText) } } };
}

function toPut(change: Change): Put & { readonly change: Change } {
  const { key, task } = change;
  const document = isWhole(task) ? encodeTask(task, key) : encodeTombstone(key, task);
  return { key, seq: task.seq, document, change };
}

function toRecordPut(record: PendingRecord): Put {
  const { place, key, ord, text, instant, seq, at } = record;
  const _id = recordKey(record);
  const document = {
    _id,
    place,
    key,
    ...(ord === null ? {} : { ord }),
    seq,
    value: text,
    crc: recordSum(_id, seq, text),
    ...(instant === null ? {} : { instant }),
    ...(text === null ? { goneAt: at } : {}),
  };
  return { key: _id, seq, document };
}

/** By id: the specs of tasks that these entries adopt, if only to forget them again. */
function adoptedIn(steps: readonly Step[]): Map<TaskId, TaskSpec> {
  const specs = new Map<TaskId, TaskSpec>();
  for (const { changes } of steps) {
    for (const [id, { spec }] of changes.tasks) if (spec?.adoptedFrom !== undefined) specs.set(id, spec);
  }
  return specs;
}

async function inChunks<Item>(
  items: readonly Item[],
  work: (some: readonly Item[]) => Promise<void>,
  max: number = mongodbLimits.viewStepMax,
): Promise<void> {
  // In small steps, so that the next entry need not wait for all of them.
  for (let start = 0; start < items.length; start += max) await work(items.slice(start, start + max));
}
