/**
 * Takes over everything from a store of another kind. It can be interrupted and begun again: each document has an `_id` of its own, and
 * what is there already is left as it is. The database becomes a store with the last write, once counts and checksums agree.
 */
import { crc32 } from "node:zlib";
import type { Document } from "mongodb";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import { StoreRefused } from "../../ports/store.ts";
import { instantOf } from "../changes.ts";
import { toSpec, toStatus } from "../documents.ts";
import type { StoreDump } from "../storeDump.ts";
import { parseAddress } from "./address.ts";
import type { LogDocument, RecordDocument } from "./collections.ts";
import { type Connection, connect, type StoredDocument } from "./connection.ts";
import { addCounts, encodeDerived } from "./derived.ts";
import { insertNew } from "./guardedPut.ts";
import { JournalCollection, type StoredEntry } from "./journal.ts";
import { createIndexes, finishStore } from "./layout.ts";
import { placeOfTask, recordKey, recordSum, type WholeTask } from "./overlay.ts";
import { encodeTask, toKey } from "./taskDocument.ts";

export interface TakenOver {
  readonly entries: number;
  readonly tasks: number;
  readonly records: number;
  readonly logs: number;
  /** The last entry. */
  readonly seq: number;
}

interface Part {
  readonly name: "entries" | "tasks" | "records" | "logs";
  readonly count: number;
  /** Over the documents' names and contents, whatever their order. */
  readonly sum: number;
}

/** @throws StoreRefused if the database holds anything else, or does not hold the same in the end */
export async function takeOver(dump: StoreDump, uri: string): Promise<TakenOver> {
  const connection = await connect(parseAddress(uri));
  try {
    return await connection.run(() => copy(dump, connection));
  } finally {
    await connection.client.close();
  }
}

async function copy(dump: StoreDump, connection: Connection): Promise<TakenOver> {
  await claim(dump, connection);
  // While there is nothing yet: over a million documents one command would take longer than an answer is waited for.
  await createIndexes(connection);
  const ends = { first: 0, last: 0, ordMax: 0 };
  const entries = await copyEntries(dump, connection, ends);
  const tasks = await copyTasks(dump, connection, ends.last);
  const records = await copyRecords(dump, connection);
  const logs = await copyLogs(dump, connection);
  await check(connection, [entries, tasks.part, records, logs]);
  const { collections } = dump;
  const note = {
    ordMax: ends.ordMax,
    again: [],
    counts: tasks.counts,
    ...(collections === null ? {} : { collections }),
  };
  const { meta } = connection;
  await insertNew(meta, [
    { _id: "view", seq: ends.last, ...encodeDerived(ends.last, note) },
    { _id: "floor", seq: Math.max(1, ends.first), sweptTo: Math.max(1, ends.first) },
  ]);
  await finishStore(connection, dump.incarnation);
  await meta.deleteOne({ _id: "takingOver" });
  return {
    entries: entries.count,
    tasks: tasks.part.count,
    records: records.count,
    logs: logs.count,
    seq: ends.last,
  };
}

/** Makes sure that nothing else is in the database, and that no master has worked on it since an earlier move. */
async function claim({ incarnation }: StoreDump, connection: Connection): Promise<void> {
  const { meta, journal, tasks, address } = connection;
  const store = await meta.findOne({ _id: "store" });
  if (store !== null && store["incarnation"] !== incarnation) throw occupied(address.name);
  if (store !== null && (await wasLed(connection))) throw inUse(address.name);
  const before = await meta.findOne({ _id: "takingOver" });
  if (before !== null && before["incarnation"] !== incarnation) throw occupied(address.name);
  if (store !== null || before !== null) return;
  if ((await journal.findOne({})) !== null || (await tasks.findOne({})) !== null) throw occupied(address.name);
  await meta.insertOne({ _id: "takingOver", incarnation });
}

/** The journal goes on behind what was moved, and a leader that has written its marker writes its lease. */
async function wasLed({ meta, journal }: Connection): Promise<boolean> {
  const view = await meta.findOne({ _id: "view" });
  const next = await journal.findOne({ _id: Number(view?.["seq"] ?? 0) + 1 }, { projection: { _id: 1 } });
  return next !== null || (await meta.findOne({ _id: "lease" })) !== null;
}

/** Where the journal begins and ends is put into `ends`. */
async function copyEntries(
  dump: StoreDump,
  connection: Connection,
  ends: { first: number; last: number; ordMax: number },
): Promise<Part> {
  const journal = new JournalCollection(connection);
  const tally = new Tally("entries");
  const batch = new Batch<StoredEntry>((copies) => journal.insertCopies(copies));
  for (const { entry, ordMax } of dump.entries()) {
    // Every entry is in the view already, so its changes of the counts are not needed any more.
    await batch.add({ entry, derived: { ordMax, again: [], counts: {} } }, Buffer.byteLength(entry.body));
    tally.add(`${entry.seq} ${entry.crc}`);
    if (ends.first === 0) ends.first = entry.seq;
    Object.assign(ends, { last: entry.seq, ordMax });
  }
  await batch.flush();
  return tally.part();
}

async function copyTasks(dump: StoreDump, connection: Connection, lastSeq: number) {
  const tally = new Tally("tasks");
  let counts: { readonly [key: string]: number } = {};
  const batch = new Batch<StoredDocument>((documents) => insertNew(connection.tasks, documents));
  for (const { ord, seq, spec: specText, status: statusText } of dump.tasks()) {
    const spec = toSpec(specText);
    const status = toStatus(statusText);
    const task: WholeTask = {
      ...{ isReborn: true, spec, specText, status, statusText, ord, at: status.changedAt },
      statusSeq: seq,
      seq: Math.min(seq, lastSeq),
    };
    const document = encodeTask(task, toKey(spec.id, connection));
    counts = addCounts(counts, { [`${status.state} ${spec.queue}`]: 1 });
    tally.add(`${spec.id} ${specText} ${statusText}`);
    await batch.add(document, Buffer.byteLength(specText) + Buffer.byteLength(statusText));
  }
  await batch.flush();
  return { counts, part: tally.part() };
}

async function copyRecords(dump: StoreDump, { records }: Connection): Promise<Part> {
  const tally = new Tally("records");
  const batch = new Batch<RecordDocument>((documents) => insertNew(records, documents));
  for (const { collection, key, ord, seq, value } of dump.records()) {
    const place = ord === null ? collection : placeOfTask(collection, ord);
    const _id = recordKey({ place, key });
    tally.add(`${_id} ${value}`);
    const instant = instantOf(collection, JSON.parse(value));
    const fields = { ...(ord !== null && { ord }), ...(instant !== null && { instant }) };
    await batch.add(
      { _id, place, key, ...fields, seq, value, crc: recordSum(_id, seq, value) },
      Buffer.byteLength(value),
    );
  }
  await batch.flush();
  return tally.part();
}

async function copyLogs(dump: StoreDump, { logs }: Connection): Promise<Part> {
  const tally = new Tally("logs");
  const batch = new Batch<LogDocument>((documents) => insertNew(logs, documents));
  for (const { ord, task, attempt, offset, at, isTruncated, bytes } of dump.logs()) {
    const run = `${ord}/${attempt}`;
    const _id = `${run}/${offset}`;
    tally.add(`${_id} ${crc32(bytes)}`);
    await batch.add({ _id, task, run, ord, offset, at, isTruncated, bytes: Buffer.from(bytes) }, bytes.length);
  }
  await batch.flush();
  return tally.part();
}

/** Reads everything again from the database. @throws StoreRefused if it is not what was read from the other store */
async function check({ journal, tasks, records, logs, address }: Connection, parts: readonly Part[]): Promise<void> {
  const found = new Map<string, Tally>(parts.map(({ name }) => [name, new Tally(name)]));
  const half = (document: Document) => document["outlast"] as { readonly spec: string; readonly status: string };
  for await (const { _id, crc } of journal.find({}, { projection: { crc: 1 } }))
    found.get("entries")?.add(`${_id} ${crc}`);
  for await (const document of tasks.find({}))
    found.get("tasks")?.add(`${String(document._id)} ${half(document).spec} ${half(document).status}`);
  for await (const { _id, value } of records.find({})) found.get("records")?.add(`${_id} ${value ?? ""}`);
  for await (const { _id, bytes } of logs.find({}))
    found.get("logs")?.add(`${_id} ${crc32(bytes instanceof Uint8Array ? bytes : bytes.value())}`);
  for (const { name, count, sum } of parts) {
    const there = found.get(name)?.part();
    if (there?.count === count && there.sum === sum) continue;
    throw new StoreRefused(
      `${address.name} holds ${there?.count ?? 0} ${name} where ${count} were to be moved, or other ones.`,
      "Drop the database and move again. The store that was moved from is as it was.",
    );
  }
}

class Tally {
  readonly #name: Part["name"];
  #count = 0;
  #sum = 0;

  constructor(name: Part["name"]) {
    this.#name = name;
  }

  add(text: string): void {
    this.#count += 1;
    this.#sum = (this.#sum + crc32(text)) % 2 ** 48;
  }

  part(): Part {
    return { name: this.#name, count: this.#count, sum: this.#sum };
  }
}

/** Bulks of a bounded number and size. */
class Batch<Item> {
  readonly #insert: (items: readonly Item[]) => Promise<unknown>;
  #items: Item[] = [];
  #bytes = 0;

  constructor(insert: (items: readonly Item[]) => Promise<unknown>) {
    this.#insert = insert;
  }

  async add(item: Item, bytes: number): Promise<void> {
    if (this.#bytes + bytes > mongodbLimits.moveBatchBytesMax) await this.flush();
    this.#items.push(item);
    this.#bytes += bytes;
    if (this.#items.length >= mongodbLimits.moveBatchMax) await this.flush();
  }

  async flush(): Promise<void> {
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    if (items.length > 0) await this.#insert(items);
  }
}

/** What has ended or was removed there since would be brought back. */
function inUse(name: string): StoreRefused {
  return new StoreRefused(
    `${name} has everything already, and masters have worked on it since it was moved there.`,
    "Nothing was changed. Go on with that store, and never again with the one that was moved.",
  );
}

function occupied(name: string): StoreRefused {
  return new StoreRefused(
    `${name} is not empty.`,
    "Name a database that does not exist yet, or the one that this very store was being moved to.",
  );
}
