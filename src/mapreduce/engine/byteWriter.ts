/** A buffer that grows as bytes, numbers and texts are appended to it. */

const firstCapacity = 4096;

export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = firstCapacity) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written. Valid until the next write. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** An unsigned whole number up to 2^53 - 1, seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest = rest > 0x7fffffff ? Math.floor(rest / 128) : rest >>> 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  append(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.#reserve(count);
    const target = this.#buffer;
    let at = this.#length;
    // Keys are short: a loop is faster than a call into the runtime.
    if (count < 32) for (let index = start; index < end; index += 1) target[at++] = source[index] ?? 0;
    else target.set(source.subarray(start, end), at);
    this.#length += count;
  }

  /** UTF-8, without its length. */
  text(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length, "utf8");
  }

  /** UTF-8 with its length in bytes before it. */
  sizedText(text: string): void {
    this.varint(Buffer.byteLength(text));
    this.text(text);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
