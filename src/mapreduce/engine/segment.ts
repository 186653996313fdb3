/**
 * Segments: the records of one partition as bytes. A segment is `RS1`, a byte for the codec, a byte of flags, then blocks; a block is
 * raw length, stored length and CRC-32 of the stored bytes (4 bytes each, little-endian) before its stored bytes. A block holds
 * whole records: key length, key, number of values, values. Numbers are varints.
 */
import { constants, crc32, deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type ByteReader, MalformedBytes } from "./byteReader.ts";
import { ByteWriter } from "./byteWriter.ts";
import type { ValueColumn } from "./valueColumn.ts";

export type Codec = "none" | "deflate" | "zstd";

const codecs: readonly Codec[] = ["none", "deflate", "zstd"];
const magic = Buffer.from("RS1");
const headBytes = magic.length + 2;
const blockHeadBytes = 12;
/** A block is closed once it has this much. */
const blockBytes = 256 * 1024;
/** A key with more values than this is written as several records. */
const valuesPerRecordMax = 1000;
/** Bytes that are read at once; a block that is larger is read whole. */
const windowBytes = 1024 * 1024;

/** Where a segment, or a part of it, stands in its file. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
  readonly records: number;
}

/** A segment is not what its writer wrote: cut off, changed, or never whole. */
export class DamagedSegment extends Error {}

/** Takes bytes; they may change after it returns. */
export type Sink = (bytes: Uint8Array) => void;

export class SegmentWriter {
  /** The open block. A record that was begun here must be closed with `endRecord`. */
  readonly block = new ByteWriter(blockBytes + 64 * 1024);
  readonly #sink: Sink;
  readonly #codec: Codec;
  #length = 0;
  #records = 0;

  constructor(sink: Sink, codec: Codec) {
    this.#sink = sink;
    this.#codec = codec;
  }

  begin(): void {
    this.#length = 0;
    this.#records = 0;
    this.#put(Buffer.from([...magic, codecs.indexOf(this.#codec), 0]));
  }

  endRecord(): void {
    this.#records += 1;
    if (this.block.length >= blockBytes) this.#closeBlock();
  }

  /** Writes a key with all its values. */
  key(keys: Uint8Array, start: number, length: number, column: ValueColumn, number: number): void {
    if (column.count(number) <= valuesPerRecordMax) {
      this.block.varint(length);
      this.block.append(keys, start, start + length);
      column.write(this.block, number);
      return this.endRecord();
    }
    for (const { count, bytes } of column.parts(number, blockBytes)) {
      this.block.varint(length);
      this.block.append(keys, start, start + length);
      this.block.varint(count);
      this.block.append(bytes, 0, bytes.length);
      this.endRecord();
    }
  }

  /** @returns how many bytes and records the segment has */
  end(): { readonly length: number; readonly records: number } {
    if (this.block.length > 0) this.#closeBlock();
    return { length: this.#length, records: this.#records };
  }

  #closeBlock(): void {
    const raw = this.block.view();
    const stored = compress(this.#codec, raw);
    const head = Buffer.allocUnsafe(blockHeadBytes);
    head.writeUInt32LE(raw.length, 0);
    head.writeUInt32LE(stored.length, 4);
    head.writeUInt32LE(crc32(stored), 8);
    this.#put(head);
    this.#put(stored);
    this.block.clear();
  }

  #put(bytes: Uint8Array): void {
    this.#sink(bytes);
    this.#length += bytes.length;
  }
}

/** Reads `length` bytes from `offset` of a file; fewer where it ends. */
export type ReadAt = (offset: number, length: number) => Buffer | Promise<Buffer>;

/** The blocks of a segment, uncompressed and checked. @throws DamagedSegment */
export async function* blocksOf(extent: Extent, read: ReadAt): AsyncGenerator<Buffer, void, undefined> {
  const parser = new BlockParser(extent);
  while (!parser.isAtEnd) {
    const { offset, length } = parser.wants();
    parser.give(await read(offset, length));
    for (let block = parser.next(); block !== null; block = parser.next()) yield block;
  }
}

/** The same where reading does not wait. */
export function* blocksOfLocal(
  extent: Extent,
  read: (offset: number, length: number) => Buffer,
): Generator<Buffer, void, undefined> {
  const parser = new BlockParser(extent);
  while (!parser.isAtEnd) {
    const { offset, length } = parser.wants();
    parser.give(read(offset, length));
    for (let block = parser.next(); block !== null; block = parser.next()) yield block;
  }
}

class BlockParser {
  readonly #end: number;
  #offset: number;
  #window: Buffer = Buffer.alloc(0);
  #at = 0;
  #codec: Codec | null = null;
  #wanted = windowBytes;

  constructor(extent: Extent) {
    this.#offset = extent.offset;
    this.#end = extent.offset + extent.length;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#end;
  }

  wants(): { readonly offset: number; readonly length: number } {
    return { offset: this.#offset, length: Math.min(this.#wanted, this.#end - this.#offset) };
  }

  give(window: Buffer): void {
    if (window.length < this.wants().length) throw new DamagedSegment("the file ends before the segment does");
    this.#window = window;
    this.#at = 0;
    if (this.#codec === null) this.#readHead();
  }

  /** The next whole block of the window; null if more must be read. */
  next(): Buffer | null {
    const window = this.#window;
    if (this.isAtEnd) return null;
    if (this.#at + blockHeadBytes > window.length) return this.#ask(blockHeadBytes);
    const rawLength = window.readUInt32LE(this.#at);
    const storedLength = window.readUInt32LE(this.#at + 4);
    const needed = blockHeadBytes + storedLength;
    if (this.#at + needed > window.length) return this.#ask(needed);
    const stored = window.subarray(this.#at + blockHeadBytes, this.#at + needed);
    if (crc32(stored) !== window.readUInt32LE(this.#at + 8)) throw new DamagedSegment("a checksum does not match");
    this.#at += needed;
    this.#offset += needed;
    const raw = decompress(this.#codec ?? "none", stored, rawLength);
    if (raw.length !== rawLength) throw new DamagedSegment("a block has another length than its head says");
    return raw;
  }

  #ask(bytes: number): null {
    if (this.#offset + bytes > this.#end) throw new DamagedSegment("the segment ends in the middle of a block");
    this.#wanted = Math.max(windowBytes, bytes);
    return null;
  }

  #readHead(): void {
    const window = this.#window;
    if (window.length < headBytes || !window.subarray(0, magic.length).equals(magic)) {
      throw new DamagedSegment("no segment begins here");
    }
    const codec = codecs[window[magic.length] ?? codecs.length];
    if (codec === undefined) throw new DamagedSegment("its codec is unknown to this version");
    this.#codec = codec;
    this.#at = headBytes;
    this.#offset += headBytes;
  }
}

function compress(codec: Codec, raw: Buffer): Buffer {
  switch (codec) {
    case "none":
      return raw;
    case "deflate":
      return deflateRawSync(raw, { level: 1 });
    case "zstd":
      return zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    default:
      return codec satisfies never;
  }
}

/** @throws DamagedSegment */
function decompress(codec: Codec, stored: Buffer, rawLength: number): Buffer {
  try {
    const bound = { maxOutputLength: Math.max(rawLength, 1) };
    if (codec === "none") return stored;
    return codec === "deflate" ? inflateRawSync(stored, bound) : zstdDecompressSync(stored, bound);
  } catch (error) {
    throw new DamagedSegment("a block cannot be uncompressed", { cause: error });
  }
}

/** Passes the records of a block to `visit`, which must read the number of values and the values. @throws DamagedSegment */
export function eachRecord(
  block: Buffer,
  reader: ByteReader,
  visit: (keyStart: number, keyEnd: number, reader: ByteReader) => void,
): void {
  reader.reset(block);
  try {
    while (!reader.isAtEnd) {
      const length = reader.varint();
      const start = reader.skip(length);
      visit(start, start + length, reader);
    }
  } catch (error) {
    if (error instanceof MalformedBytes) throw new DamagedSegment(error.message, { cause: error });
    throw error;
  }
}
