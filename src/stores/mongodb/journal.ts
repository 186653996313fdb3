/**
 * The journal as a collection. Entries are found by their seqs one by one, never by a range: they have no gaps, and a look-up by `_id`
 * is what every server does well.
 *
 * `floor` is where the journal begins. It is raised before anything below it is removed, so whoever finds an entry and then reads a floor
 * above it has found something that came too late: a leader that slept while its slot was compacted away. Nobody is shown such an entry.
 */
import type { Entry, OutgoingEntry } from "../../model/entry.ts";
import { entryCrc } from "../../model/entryCrc.ts";
import type { Nonce } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import { StoreRefused } from "../../ports/store.ts";
import type { EntryDocument } from "./collections.ts";
import type { Connection } from "./connection.ts";
import { type Derived, decodeDerived, encodeDerived } from "./derived.ts";
import { duplicatesOf, isDuplicateKey } from "./failure.ts";
import { insertNew } from "./guardedPut.ts";

export interface StoredEntry {
  readonly entry: Entry;
  readonly derived: Derived;
}

/** Seqs that one query asks for. */
const sliceMax = 64;

export class JournalCollection {
  readonly #connection: Connection;
  #floor = 1;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Entries from `fromSeq` on without gaps, at most `max` and fewer where they are large; later ones if the journal begins later. */
  async read(fromSeq: number, max: number): Promise<StoredEntry[]> {
    let start = Math.max(1, fromSeq, this.#floor);
    const near = await this.#connection.journal
      .find({ _id: { $in: [start - 1, start] } }, { projection: { isKept: 1 } })
      .toArray();
    const isThere = near.some(({ _id }) => _id === start);
    // The one before stands in the journal and the next is not there: this is the end.
    if (!isThere && near.some(({ isKept }) => isKept !== true)) return [];
    const found = isThere ? await this.#slice(start, max) : [];
    const floor = await this.readFloor();
    if (floor <= start) return found;
    start = floor;
    const later = found.filter(({ entry }) => entry.seq >= floor);
    return later.length > 0 ? later : this.#slice(start, max);
  }

  async at(seq: number): Promise<StoredEntry | null> {
    return (await this.#slice(seq, 1))[0] ?? null;
  }

  async readFloor(): Promise<number> {
    const document = await this.#connection.meta.findOne({ _id: "floor" });
    this.#floor = Math.max(this.#floor, Number(document?.["seq"] ?? 1));
    return this.#floor;
  }

  async insert(entry: OutgoingEntry, derived: Derived): Promise<"inserted" | "taken"> {
    const { document, parts } = toDocument(entry, derived);
    if (parts.length > 1) await this.#insertParts(entry, parts);
    try {
      await this.#connection.journal.insertOne(document);
      return "inserted";
    } catch (error) {
      if (isDuplicateKey(error)) return "taken";
      throw error;
    }
  }

  /** Entries of another store's journal; what is there already is left as it is. No master may be at work. */
  async insertCopies(copies: readonly StoredEntry[]): Promise<void> {
    const documents: EntryDocument[] = [];
    for (const { entry, derived } of copies) {
      const { document, parts } = toDocument(entry, derived);
      if (parts.length > 1) await this.#insertParts(entry, parts);
      documents.push(document);
    }
    await insertNew(this.#connection.journal, documents);
  }

  /** Takes an own entry out of a slot that had been compacted away. */
  async withdraw({ seq, nonce, crc }: Entry): Promise<void> {
    await this.#connection.journal.deleteOne({ _id: seq, nonce, crc });
  }

  /**
   * Removes at most `max` entries below `below`. At every border between two epochs the last entry of the one and the first of the other
   * stay as empty slots: a leader that was deposed there and wakes up years later still finds its next slot taken.
   */
  async compact(below: number, max: number): Promise<number> {
    const { journal, parts, meta } = this.#connection;
    const floor = await meta.findOne({ _id: "floor" });
    const from = Number(floor?.["sweptTo"] ?? 1);
    const to = Math.min(below, from + max);
    if (to <= from) return 0;
    const epochs = new Map<number, number>();
    const around = seqs(from - 1, to + 1);
    for (const { _id, epoch } of await journal.find({ _id: { $in: around } }, { projection: { epoch: 1 } }).toArray())
      epochs.set(_id, epoch);
    const range = seqs(from, to);
    const isBorder = (one: number, other: number): boolean =>
      epochs.has(one) && epochs.has(other) && epochs.get(one) !== epochs.get(other);
    const kept = range.filter((seq) => isBorder(seq - 1, seq) || isBorder(seq, seq + 1));
    if (kept.length > 0) await journal.updateMany({ _id: { $in: kept } }, { $set: { isKept: true } });
    await meta.updateOne({ _id: "floor", seq: { $lt: to } }, { $set: { seq: to } });
    await journal.deleteMany({ _id: { $in: range }, isKept: { $exists: false } });
    if (kept.length > 0) await journal.updateMany({ _id: { $in: kept } }, { $unset: { body: "" } });
    await parts.deleteMany({ seq: { $in: range } });
    await meta.updateOne({ _id: "floor", sweptTo: { $lt: to } }, { $set: { sweptTo: to } });
    this.#floor = Math.max(this.#floor, to);
    return range.length;
  }

  async #slice(fromSeq: number, max: number): Promise<StoredEntry[]> {
    const entries: StoredEntry[] = [];
    let length = 0;
    for (let next = fromSeq; entries.length < max; ) {
      const wanted = seqs(next, next + Math.min(sliceMax, max - entries.length));
      const cursor = this.#connection.journal.find({ _id: { $in: wanted } }, { sort: { _id: 1 } });
      for await (const document of cursor) {
        if (document._id !== next || (document.body === undefined && document.parts === undefined)) return entries;
        const stored = await this.#toEntry(document);
        entries.push(stored);
        next += 1;
        length += stored.entry.body.length;
        if (length > limits.storeReadTextMax) return entries;
      }
      if (next <= (wanted.at(-1) ?? 0)) return entries;
    }
    return entries;
  }

  async #toEntry(document: EntryDocument): Promise<StoredEntry> {
    const { _id: seq, epoch, nonce, at, format, previousCrc, crc, derived, derivedCrc } = document;
    const body = document.body ?? (await this.#joinParts(document));
    const entry: Entry = { seq, epoch, nonce: nonce as Nonce, at, format, previousCrc, crc, body };
    if (entryCrc(entry) !== crc) {
      throw new StoreRefused(
        `The journal in ${this.#connection.address.name} is damaged: entry ${seq} does not match its checksum.`,
        "Something other than Outlast has changed the collection `journal`. Restore the store from a backup.",
      );
    }
    return { entry, derived: decodeDerived(seq, derived, derivedCrc) };
  }

  async #insertParts(entry: Entry, parts: readonly string[]): Promise<void> {
    const documents = parts.map((text, index) => ({ _id: partId(entry, index), seq: entry.seq, text }));
    for (const document of documents) {
      try {
        await this.#connection.parts.insertMany([document]);
      } catch (error) {
        // There since an earlier try.
        if (!isDuplicateKey(error) && duplicatesOf(error) === null) throw error;
      }
    }
  }

  async #joinParts({ _id: seq, nonce, crc, parts = 0 }: EntryDocument): Promise<string> {
    const ids = Array.from({ length: parts }, (_, index) => partId({ seq, nonce, crc }, index));
    const texts = new Map<string, string>();
    for (const { _id, text } of await this.#connection.parts.find({ _id: { $in: ids } }).toArray())
      texts.set(_id, text);
    return ids.map((id) => texts.get(id) ?? "").join("");
  }
}

/** The entry as it is stored. With more than one part, these stand in a collection of their own, and are written first. */
function toDocument(
  { seq, epoch, nonce, at, format, previousCrc, crc, body }: Entry,
  derived: Derived,
): { readonly document: EntryDocument; readonly parts: readonly string[] } {
  const parts = split(body);
  const content = parts.length === 1 ? { body } : { parts: parts.length };
  const document = { _id: seq, epoch, nonce, at, format, previousCrc, crc, ...content, ...encodeDerived(seq, derived) };
  return { document, parts };
}

function partId({ seq, nonce, crc }: { seq: number; nonce: string; crc: number }, index: number): string {
  return `${seq}/${nonce}/${crc}/${index}`;
}

function seqs(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

/** One part if it fits into a document as it is. UTF-8 needs at most three bytes for each UTF-16 unit. */
function split(body: string): string[] {
  if (body.length * 3 <= mongodbLimits.textBytesMax || Buffer.byteLength(body) <= mongodbLimits.textBytesMax)
    return [body];
  const unitsMax = Math.floor(mongodbLimits.textBytesMax / 3);
  const parts: string[] = [];
  for (let start = 0; start < body.length; ) {
    let end = Math.min(body.length, start + unitsMax);
    // A pair of surrogates is one character and has no halves in UTF-8.
    const last = body.charCodeAt(end - 1);
    if (end < body.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    parts.push(body.slice(start, end));
    start = end;
  }
  return parts;
}
