/** Watches how long the user's functions take for a record, a key or a call: what the engine does meanwhile does not count. */
import type { Cursor } from "../engine/cursor.ts";

export interface Look {
  /** Something was read or begun since the look before. */
  readonly hasMoved: boolean;
  /** The user's code has been at the same place for too long. */
  readonly isStuck: boolean;
}

/** Looks at a cursor from another thread, now and then: time between two looks is that of whoever runs at the second one. */
export class RecordWatch {
  readonly #msMax: number;
  #lookedAt: number;
  #place = "";
  #records = 0;
  #recordMs = 0;
  #calls = 0;
  #callMs = 0;

  /** @param now in ms, by a clock that does not jump */
  constructor(msMax: number, now: number) {
    this.#msMax = msMax;
    this.#lookedAt = now;
  }

  look(cursor: Cursor, now: number): Look {
    const { records, bytes, calls, running } = cursor;
    const passed = now - this.#lookedAt;
    this.#lookedAt = now;
    if (records !== this.#records) this.#recordMs = 0;
    else if (running === "record") this.#recordMs += passed;
    if (calls !== this.#calls) this.#callMs = 0;
    else if (running === "call") this.#callMs += passed;
    this.#records = records;
    this.#calls = calls;
    const place = `${records} ${bytes}`;
    const hasMoved = place !== this.#place;
    this.#place = place;
    return { hasMoved, isStuck: Math.max(this.#recordMs, this.#callMs) > this.#msMax };
  }
}
