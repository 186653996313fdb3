/** Writes what a batch of entries says into the collections, each document only if it is older than that. */
import type { AnyBulkWriteOperation } from "mongodb";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { Connection, StoredDocument, TaskKey } from "./connection.ts";
import { duplicatesOf, isDuplicateKey } from "./failure.ts";
import { ForeignDocuments } from "./foreignDocuments.ts";
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

/** How often a document is looked at again that others change at the same time. */
const clashTriesMax = 5;

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
    for (const record of overlay.records.values()) await this.#putRecord(record);
    if (reborn.length > 0) await this.#removeBelongings(reborn, steps);
    const fresh = changes.filter(({ id, task }) => isWhole(task) && !forgotten.has(id));
    const adopted = fresh.filter(({ task }) => task.spec?.adoptedFrom !== undefined);
    await inChunks(
      fresh.filter(({ task }) => task.spec?.adoptedFrom === undefined),
      (some) => this.#insert(some),
    );
    await inChunks(adopted, (some) => this.#claim(some));
    await inChunks(
      changes.filter(({ task }) => !isWhole(task) && !isGone(task)),
      (some) => this.#update(some),
    );
    for (const change of reborn) await this.#replace(change);
  }

  #toChange(id: TaskId, task: PendingTask, adopted: TaskSpec | null): Change {
    const own = task.spec?.adoptedFrom === undefined ? null : task.spec;
    return { id, key: toKey(id, this.#connection), task, adopted: own ?? adopted };
  }

  async #insert(changes: readonly Change[]): Promise<void> {
    const documents = changes.flatMap(({ key, task }) => (isWhole(task) ? [encodeTask(task, key)] : []));
    try {
      await this.#connection.tasks.insertMany(documents, { ordered: false });
    } catch (error) {
      const taken = duplicatesOf(error) ?? (isDuplicateKey(error) ? [0] : null);
      if (taken === null) throw error;
      for (const index of taken) {
        const change = changes[index];
        if (change !== undefined) await this.#replace(change);
      }
    }
  }

  /** Documents that somebody else inserted become ours, if they are still what they were. */
  async #claim(changes: readonly Change[]): Promise<void> {
    const claimed = await this.#foreign.claim(
      changes.flatMap(({ key, task }) => (isWhole(task) ? [encodeTask(task, key)] : [])),
    );
    if (claimed < changes.length) for (const change of changes) await this.#replace(change);
  }

  async #update(changes: readonly Change[]): Promise<void> {
    const operations = changes.map(
      ({ id, key, task }): AnyBulkWriteOperation<StoredDocument> => ({
        updateOne: { filter: { _id: key, "outlast.seq": { $lt: task.seq } }, update: { $set: encodeStatus(id, task) } },
      }),
    );
    const { matchedCount } = await this.#connection.tasks.bulkWrite(operations, { ordered: false });
    for (const { id, key, task } of changes) if (task.spec !== null) await this.#rewriteSpec(id, key, task);
    if (matchedCount < changes.length) await this.#restore(changes);
  }

  async #rewriteSpec(id: TaskId, key: TaskKey, { spec, specText, seq }: PendingTask): Promise<void> {
    const document = await this.#connection.tasks.findOne({ _id: key, "outlast.seq": seq });
    const { ord } = halfOf(document);
    if (spec === null || typeof ord !== "number") return;
    await this.#connection.tasks.updateOne(
      { _id: key, "outlast.seq": seq },
      { $set: encodeSpec(id, ord, spec, specText) },
    );
  }

  /** Makes documents again that somebody has removed, from what the journal still has. Returns how many. */
  async restoreLost(untilSeq: number): Promise<number> {
    const overlay = await this.#fold(untilSeq, () => true);
    const changes = [...overlay.tasks].map(([id, task]) => this.#toChange(id, task, null));
    let count = 0;
    await inChunks(
      changes.filter(({ task }) => isWhole(task)),
      async (some) => {
        for (const change of await this.#lostAmong(some)) {
          await this.#replace(change);
          count += 1;
        }
      },
    );
    return count;
  }

  async #restore(changes: readonly Change[]): Promise<void> {
    const lost = new Map((await this.#lostAmong(changes)).map((change) => [change.id, change]));
    if (lost.size === 0) return;
    const untilSeq = Math.max(...changes.map(({ task }) => task.seq));
    const overlay = await this.#fold(untilSeq, (id) => lost.has(id));
    for (const [id, task] of overlay.tasks) {
      const change = lost.get(id);
      if (change !== undefined && isWhole(task)) await this.#replace({ ...change, task });
    }
  }

  async #lostAmong(changes: readonly Change[]): Promise<Change[]> {
    const keys = changes.map(({ key }) => key);
    const found = await this.#connection.tasks
      .find({ _id: { $in: keys } }, { projection: { "outlast.seq": 1 } })
      .toArray();
    const intact = new Set(found.filter((document) => seqOf(document) !== null).map(({ _id }) => String(_id)));
    return changes.filter(({ key }) => !intact.has(String(key)));
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

  /** Puts a document where another one stands, or none, or a tombstone; never in the place of a newer one. */
  async #replace({ key, task, adopted }: Change): Promise<void> {
    const { tasks } = this.#connection;
    const document = isWhole(task) ? encodeTask(task, key) : encodeTombstone(key, task);
    for (let tries = 0; tries < clashTriesMax; tries += 1) {
      const { matchedCount } = await tasks.replaceOne({ _id: key, "outlast.seq": { $lt: task.seq } }, document);
      if (matchedCount > 0) return;
      const found = await tasks.findOne({ _id: key });
      if (found === null) {
        if (await insertOnce(() => tasks.insertOne(document))) return;
        continue;
      }
      if (seqOf(found) !== null) return;
      if (await this.#foreign.replace(found, document, task, adopted)) return;
    }
  }

  /** Logs and records of lives that are over. Done before the tombstone is written: done twice, it finds nothing. */
  async #removeBelongings(changes: readonly Change[], steps: readonly Step[]): Promise<void> {
    const keys = changes.map(({ key }) => key);
    const documents = await this.#connection.tasks
      .find({ _id: { $in: keys } }, { projection: { outlast: 1 } })
      .toArray();
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

  async #putRecord(record: PendingRecord): Promise<void> {
    const { records } = this.#connection;
    const { place, key, ord, text, instant, seq, at } = record;
    const _id = recordKey(record);
    const fields = {
      place,
      key,
      ...(ord === null ? {} : { ord }),
      seq,
      value: text,
      crc: recordSum(_id, seq, text),
      ...(instant === null ? {} : { instant }),
      ...(text === null ? { goneAt: at } : {}),
    };
    const { matchedCount } = await records.replaceOne({ _id, seq: { $lt: seq } }, fields);
    // Refused: one that is at least as new stands there.
    if (matchedCount === 0) await insertOnce(() => records.insertOne({ _id, ...fields }));
  }
}

/** By id: the specs of tasks that these entries adopt, if only to forget them again. */
function adoptedIn(steps: readonly Step[]): Map<TaskId, TaskSpec> {
  const specs = new Map<TaskId, TaskSpec>();
  for (const { changes } of steps) {
    for (const [id, { spec }] of changes.tasks) if (spec?.adoptedFrom !== undefined) specs.set(id, spec);
  }
  return specs;
}

async function inChunks<Item>(items: readonly Item[], work: (some: readonly Item[]) => Promise<void>): Promise<void> {
  // In small steps, so that the next entry need not wait for all of them.
  for (let start = 0; start < items.length; start += mongodbLimits.viewStepMax) {
    await work(items.slice(start, start + mongodbLimits.viewStepMax));
  }
}

/** False if something stands there already. */
async function insertOnce(insert: () => Promise<unknown>): Promise<boolean> {
  try {
    await insert();
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
