/** Records of all collections, as readers see them: what is stored, overlaid with what is not in the view yet. */
import type { CollectionName, RecordValue, StoredRecord } from "../../model/collections/table.ts";
import { limits } from "../../model/limits.ts";
import { type RecordPage, type RecordQuery, StoreRefused } from "../../ports/store.ts";
import { toRecord } from "../documents.ts";
import { compareBytes, toRecordPage, toStoredRecord } from "../recordPage.ts";
import type { RecordDocument } from "./collections.ts";
import type { Connection } from "./connection.ts";
import { type Overlay, recordKey, recordSum } from "./overlay.ts";

/** Where records of one collection stand, and what comes before their keys in their ids. */
export interface RecordPlace<Name extends CollectionName> {
  readonly collection: Name;
  readonly place: string;
  /** `task/` for records that belong to a task. */
  readonly idStart: string;
}

/** Greater than every key that begins alike: no text holds this character. */
const lastCharacter = "\u{10ffff}";

export class RecordReader {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async read<Name extends CollectionName>(
    { collection, place, idStart }: RecordPlace<Name>,
    key: string,
    overlay: Overlay,
  ): Promise<RecordValue<Name> | null> {
    const _id = recordKey({ place, key });
    const pending = overlay.records.get(_id);
    const document = await this.#connection.records.findOne({ _id });
    const stored =
      document === null || document.seq < (pending?.seq ?? 0) ? null : checkedRecord(document, this.#connection);
    const text = stored === null ? (pending?.text ?? null) : stored.value;
    return text === null ? null : toRecord(collection, idStart + key, text);
  }

  async page<Name extends CollectionName>(
    { collection, place, idStart }: RecordPlace<Name>,
    query: RecordQuery,
    overlay: Overlay,
  ): Promise<RecordPage<Name>> {
    const prefix = (query.idPrefix ?? "").slice(idStart.length);
    const after = query.after === undefined ? null : query.after.slice(idStart.length);
    const pending = [...overlay.records.values()].filter((record) => record.place === place);
    const isWanted = (key: string): boolean =>
      key.startsWith(prefix) && (after === null || compareBytes(key, after) > 0);
    const texts = new Map<string, { readonly seq: number; readonly text: string | null }>();
    for (const { key, seq, text } of pending) if (isWanted(key)) texts.set(key, { seq, text });
    // As many as a page takes beyond those that the overlay hides.
    let wanted = query.limit + 1 + texts.size;
    let length = 0;
    const from = after !== null && compareBytes(after, prefix) > 0 ? after : prefix;
    // The notes of those that were removed lately stay where they were: a page of nothing else would have no end to go on from.
    const cursor = this.#connection.records
      .find({ place, key: { $gte: from, $lte: prefix + lastCharacter }, value: { $ne: null } })
      .sort({ key: 1 });
    let isCut = false;
    for await (const document of cursor) {
      const { key, seq, value } = checkedRecord(document, this.#connection);
      if (!isWanted(key) || seq < (texts.get(key)?.seq ?? 0)) continue;
      texts.set(key, { seq, text: value });
      wanted -= 1;
      length += value?.length ?? 0;
      if (wanted > 0 && length <= 2 * limits.pageTextMax) continue;
      // Later ones of the overlay must wait for their turn.
      for (const other of texts.keys()) if (compareBytes(other, key) > 0) texts.delete(other);
      isCut = true;
      break;
    }
    const rows = [...texts]
      .flatMap(([key, { text }]) => (text === null ? [] : [{ key, text }]))
      .toSorted((one, other) => compareBytes(one.key, other.key))
      .map(({ key, text }) => ({ id: idStart + key, text }));
    const page = toRecordPage(collection, query, rows);
    return isCut ? { ...page, isMore: true } : page;
  }

  /** All of some collections that belong to no task, by `place key`, as they are stored. */
  async all(collections: readonly CollectionName[]): Promise<Map<string, RecordDocument>> {
    const found = new Map<string, RecordDocument>();
    for await (const document of this.#connection.records.find({ place: { $in: [...collections] } }))
      found.set(document._id, checkedRecord(document, this.#connection));
    return found;
  }
}

/** What a leader starts from: stored records, overlaid. */
export function overlaidRecords(
  collections: readonly CollectionName[],
  stored: ReadonlyMap<string, RecordDocument>,
  overlay: Overlay,
): (readonly StoredRecord[])[] {
  const texts = new Map<string, { readonly place: string; readonly key: string; readonly text: string | null }>();
  for (const [_id, { place, key, value }] of stored) texts.set(_id, { place, key, text: value });
  for (const [_id, { place, key, text, seq }] of overlay.records)
    if (seq >= (stored.get(_id)?.seq ?? 0)) texts.set(_id, { place, key, text });
  return collections.map((collection) =>
    [...texts.values()].flatMap(({ place, key, text }) =>
      place === collection && text !== null ? [toStoredRecord(collection, key, text)] : [],
    ),
  );
}

/** @throws StoreRefused if it was changed */
export function checkedRecord(document: RecordDocument, { address }: Connection): RecordDocument {
  if (recordSum(document._id, document.seq, document.value) === document.crc) return document;
  throw new StoreRefused(
    `The record ${document._id} in ${address.name} is damaged: it does not match its checksum.`,
    "Something other than Outlast has changed the collection `records`. Restore the store from a backup.",
  );
}
