/** Pages of records: their order and where they end, the same in every driver. */
import type { CollectionName, StoredRecord } from "../model/collections/table.ts";
import { limits } from "../model/limits.ts";
import type { RecordPage, RecordQuery } from "../ports/store.ts";
import { toRecord } from "./documents.ts";

export function toStoredRecord<Name extends CollectionName>(
  collection: Name,
  id: string,
  text: string,
): StoredRecord<Name> {
  return { collection, id, value: toRecord(collection, id, text) };
}

/** @param rows in order, from the first one of the page on */
export function toRecordPage<Name extends CollectionName>(
  collection: Name,
  { limit }: RecordQuery,
  rows: Iterable<{ readonly id: string; readonly text: string }>,
): RecordPage<Name> {
  const records: StoredRecord<Name>[] = [];
  let length = 0;
  for (const { id, text } of rows) {
    length += text.length;
    if (records.length >= limit || (records.length > 0 && length > limits.pageTextMax))
      return { records, isMore: true };
    records.push(toStoredRecord(collection, id, text));
  }
  return { records, isMore: false };
}

/** Orders ids by their UTF-8 bytes, as SQLite and MongoDB do; JavaScript compares UTF-16 units. */
export function compareBytes(one: string, other: string): number {
  for (let index = 0; index < one.length && index < other.length; index += 1) {
    if (one.charCodeAt(index) === other.charCodeAt(index)) continue;
    // Where only the second halves of two pairs differ, those compare alike.
    return (one.codePointAt(index) ?? 0) - (other.codePointAt(index) ?? 0);
  }
  return one.length - other.length;
}
