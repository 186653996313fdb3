/** Reads what a `ByteWriter` wrote. Never beyond the end: what is cut off or cannot have been written is refused. */

/** Bytes are not what a writer of this version made. */
export class MalformedBytes extends Error {}

export class ByteReader {
  #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer = Buffer.alloc(0), at = 0) {
    this.#buffer = buffer;
    this.#at = at;
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  get position(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#buffer.length;
  }

  reset(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#at = 0;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new MalformedBytes("a number is too long");
  }

  byte(): number {
    const byte = this.#buffer[this.#at];
    if (byte === undefined) throw new MalformedBytes("the bytes end in the middle of a record");
    this.#at += 1;
    return byte;
  }

  float64(): number {
    const from = this.skip(8);
    return this.#buffer.readDoubleLE(from);
  }

  text(bytes: number): string {
    const from = this.skip(bytes);
    return this.#buffer.toString("utf8", from, from + bytes);
  }

  /** Passes over some bytes. @returns where they begin */
  skip(bytes: number): number {
    const from = this.#at;
    if (from + bytes > this.#buffer.length) throw new MalformedBytes("the bytes end in the middle of a record");
    this.#at = from + bytes;
    return from;
  }
}
