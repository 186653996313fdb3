/** The documents of the collections, as the server keeps them. */
import type { Binary } from "mongodb";

/** One entry of the journal. `_id` is its seq: the unique key that everything rests on. */
export interface EntryDocument {
  readonly _id: number;
  readonly epoch: number;
  readonly nonce: string;
  readonly at: number;
  readonly format: number;
  readonly previousCrc: number;
  readonly crc: number;
  /** Left out where the body is in `journalParts`, and once the entry has been compacted away. */
  readonly body?: string;
  /** How many parts the body has, where it is too large for one document. */
  readonly parts?: number;
  /** JSON text of `Derived`, and its checksum. */
  readonly derived: string;
  readonly derivedCrc: number;
  /** Compacted away, except for this: the slot at the border of two epochs stays taken for ever. */
  readonly isKept?: boolean;
}

export interface PartDocument {
  /** `seq/nonce/crc/index`, so that a part of an entry that did not get its slot is nobody else's. */
  readonly _id: string;
  readonly seq: number;
  readonly text: string;
}

export interface RecordDocument {
  /** `place key`. */
  readonly _id: string;
  /** The collection; for records that belong to a task, with the task's place in the order of creation: `collection/ord`. */
  readonly place: string;
  /** The id; of a record that belongs to a task, what follows the task. */
  readonly key: string;
  /** Of the task that it belongs to. */
  readonly ord?: number;
  readonly seq: number;
  /** JSON text; null where the record is gone. */
  readonly value: string | null;
  readonly crc: number;
  /** By which a record is found over all tasks; left out in collections that are not read by time. */
  readonly instant?: number;
  /** When it went, so that this note of it can go later. */
  readonly goneAt?: number;
}

export interface LogDocument {
  /** `ord/attempt/offset`, each padded, so that the pieces of an attempt lie in order. */
  readonly _id: string;
  readonly task: string;
  /** `ord/attempt`. */
  readonly run: string;
  readonly ord: number;
  readonly offset: number;
  readonly at: number;
  readonly isTruncated: boolean;
  readonly bytes: Binary | Uint8Array;
}

export interface MemberDocument {
  readonly _id: string;
  readonly member: string;
}
