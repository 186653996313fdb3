/**
 * Where a map or a reduce is, in memory that another thread can read at any moment: so a loop, a crash or lack of memory is located to
 * the record, and progress costs nothing.
 */

/** Numbers in the shared memory, by position. */
const places = { file: 0, offset: 1, bytes: 2, records: 3, skipped: 4 } as const;
const keyBytesMax = 200;
const keyLengthAt = 40;
const keyAt = 48;

export class Cursor {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Float64Array;
  readonly #key: Uint8Array;
  readonly #keyLength: Int32Array;

  constructor(memory = new SharedArrayBuffer(keyAt + keyBytesMax)) {
    this.memory = memory;
    this.#numbers = new Float64Array(memory, 0, keyLengthAt / 8);
    this.#keyLength = new Int32Array(memory, keyLengthAt, 1);
    this.#key = new Uint8Array(memory, keyAt, keyBytesMax);
  }

  /** The index of the input file of the record that is being mapped. */
  get file(): number {
    return this.#numbers[places.file] ?? 0;
  }

  /** Where that record begins in its file. */
  get offset(): number {
    return this.#numbers[places.offset] ?? 0;
  }

  /** Bytes that were read. */
  get bytes(): number {
    return this.#numbers[places.bytes] ?? 0;
  }

  /** Records or keys that were begun. */
  get records(): number {
    return this.#numbers[places.records] ?? 0;
  }

  get skipped(): number {
    return this.#numbers[places.skipped] ?? 0;
  }

  /** The beginning of the key that is being reduced. */
  get key(): string {
    return Buffer.from(this.#key.subarray(0, this.#keyLength[0] ?? 0)).toString();
  }

  beginRecord(file: number, offset: number): void {
    this.#numbers[places.file] = file;
    this.#numbers[places.offset] = offset;
    this.#numbers[places.records] = (this.#numbers[places.records] ?? 0) + 1;
  }

  beginKey(bytes: Uint8Array, start: number, length: number): void {
    const count = Math.min(length, keyBytesMax);
    for (let index = 0; index < count; index += 1) this.#key[index] = bytes[start + index] ?? 0;
    this.#keyLength[0] = count;
    this.#numbers[places.records] = (this.#numbers[places.records] ?? 0) + 1;
  }

  addBytes(count: number): void {
    this.#numbers[places.bytes] = (this.#numbers[places.bytes] ?? 0) + count;
  }

  addSkipped(): void {
    this.#numbers[places.skipped] = (this.#numbers[places.skipped] ?? 0) + 1;
  }

  /** Begins anew, for another attempt in the same memory. */
  reset(): void {
    this.#numbers.fill(0);
    this.#keyLength[0] = 0;
  }
}
