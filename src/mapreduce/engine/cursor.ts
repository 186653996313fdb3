/**
 * Where a map or a reduce is, in memory that another thread can read at any moment: so a loop, a crash or lack of memory is located to
 * the record, and progress costs nothing.
 */

/** Numbers in the shared memory, by position. */
const places = { file: 0, offset: 1, bytes: 2, records: 3, skipped: 4, running: 5, calls: 6 } as const;
const keyBytesMax = 200;
const keyLengthAt = 56;
const keyAt = 64;

/** Whose code runs: the engine's, the user's on a record or key, the user's combine or partition on its own, or the top of the user's module. */
const owners = ["engine", "record", "call", "module"] as const;
export type Owner = (typeof owners)[number];

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

  /** Whose code runs at this moment. */
  get running(): Owner {
    return owners[this.#numbers[places.running] ?? 0] ?? "engine";
  }

  /** How often the user's combine or partition was called on its own. */
  get calls(): number {
    return this.#numbers[places.calls] ?? 0;
  }

  /** The user's map gets this record. */
  beginRecord(file: number, offset: number): void {
    this.#numbers[places.file] = file;
    this.#numbers[places.offset] = offset;
    this.#numbers[places.running] = 1;
    this.#numbers[places.records] = (this.#numbers[places.records] ?? 0) + 1;
  }

  /** The user's reduce gets the key that was begun. */
  enter(): void {
    this.#numbers[places.running] = 1;
  }

  /** What the user does on a record or key is done. */
  leave(): void {
    this.#numbers[places.running] = 0;
  }

  /** Does something for the engine, also in the middle of what the user does: the time is not the user's. */
  aside<Result>(work: () => Result): Result {
    return this.#as(0, work);
  }

  /** Calls a function of the user that belongs to no record. */
  call<Result>(work: () => Result): Result {
    this.#numbers[places.calls] = (this.#numbers[places.calls] ?? 0) + 1;
    return this.#as(2, work);
  }

  /** Loads the module of the user, which runs whatever stands in it outside of functions, and may wait there. */
  async load<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#numbers[places.running] = 3;
    try {
      return await work();
    } finally {
      this.#numbers[places.running] = 0;
    }
  }

  #as<Result>(owner: number, work: () => Result): Result {
    const before = this.#numbers[places.running] ?? 0;
    this.#numbers[places.running] = owner;
    try {
      return work();
    } finally {
      this.#numbers[places.running] = before;
    }
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
