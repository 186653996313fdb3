/**
 * The blobs port: where files are kept that are too large for the journal. It is a store of named objects, and it decides nothing:
 * which of them are referred to, and when one goes, stands in the journal.
 *
 * What every driver must do, as its contract suite tests it:
 *
 * - An object is there whole or not at all, also after a crash, and durable once `put` resolves.
 * - An object never changes. A name is given out once; nobody writes under it again.
 * - Content is streamed with backpressure in both directions. No driver holds an object in memory (but for `memory:`).
 */
import { limits } from "../model/limits.ts";

export interface Blobs {
  /** True if every master reaches the same objects: a shared volume, a database. False for a folder of this machine. */
  readonly isShared: boolean;
  /** Where the objects are, for people: `directory /data/blobs`. Makes the place where it is missing. @throws BlobsUnavailable */
  open(): Promise<string>;
  /**
   * Stores an object. If `content` fails or is too long, nothing is left of it, and the error is passed on.
   * @throws ObjectTaken, ObjectTooLarge, BlobsUnavailable (then the object may be there all the same)
   */
  put(name: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredObject>;
  /** An object, or the part of it in `range`; null if there is none. @throws BlobsUnavailable */
  get(name: string, range?: ByteRange): Promise<ObjectContent | null>;
  /** Null if there is none. @throws BlobsUnavailable */
  stat(name: string): Promise<{ readonly size: number } | null>;
  /** Removes an object; does nothing if there is none. Readers that have begun may fail. @throws BlobsUnavailable */
  delete(name: string): Promise<void>;
  /** Removes every object below a folder: those whose names begin with `<folder>/`. @throws BlobsUnavailable */
  deleteAll(folder: string): Promise<void>;
  /** The objects below a folder, in no particular order, as they are found. @throws BlobsUnavailable */
  list(folder: string): AsyncIterable<ListedObject>;
  close(): Promise<void>;
}

export interface StoredObject {
  /** In bytes. */
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

export interface ListedObject {
  readonly name: string;
  readonly size: number;
}

/** Bytes `from` … `until - 1`. What lies behind the end of the object is left out. */
export interface ByteRange {
  readonly from: number;
  readonly until: number;
}

export interface ObjectContent {
  /** Of the whole object, in bytes. */
  readonly size: number;
  /** To be read once. Whoever does not read it to its end must call `return()` of its iterator. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** The place of the objects cannot be reached, or is full. */
export class BlobsUnavailable extends Error {
  override readonly name = "BlobsUnavailable";
  /** `full`, `io`, `network`. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** There is an object of this name. It was left as it is. */
export class ObjectTaken extends Error {
  override readonly name = "ObjectTaken";
}

export class ObjectTooLarge extends Error {
  override readonly name = "ObjectTooLarge";
  readonly bytesMax: number;

  constructor(bytesMax: number) {
    super(`The content has more than ${bytesMax} bytes.`);
    this.bytesMax = bytesMax;
  }
}

const segmentPattern = /^[A-Za-z0-9_=@:~-][A-Za-z0-9._=@:~-]*$/;

/**
 * True if `text` may name an object or a folder: up to 8 parts between slashes, of letters, digits and `. _ = @ : ~ -`. No part
 * begins with a dot, so that no name leads out of its folder.
 */
export function isObjectName(text: string): boolean {
  if (text.length > limits.objectNameLengthMax) return false;
  const segments = text.split("/");
  return segments.length <= limits.objectNamePartsMax && segments.every((segment) => segmentPattern.test(segment));
}

/** Names are made or checked before they come to a driver. @throws Error for one that is neither */
export function checkObjectName(name: string): void {
  if (!isObjectName(name)) throw new Error(`${JSON.stringify(name.slice(0, 100))} is no name of an object.`);
}

/** How workers and clients reach blobs: through the masters. */
export interface BlobAccess {
  /** Null if there is no such blob. @throws BlobsUnavailable */
  getBlob(sha256: string): Promise<ObjectContent | null>;
  /** @throws BlobsUnavailable, ObjectTooLarge */
  putBlob(content: AsyncIterable<Uint8Array>): Promise<StoredObject>;
}
