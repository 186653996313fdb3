/** Watches how long the user's code takes for a record, a key, a call or its module: what the engine does meanwhile does not count. */
import type { Cursor } from "../engine/cursor.ts";

export interface Look {
  /** Something was read or begun since the look before. */
  readonly hasMoved: boolean;
  /** The user's code has been at the same place for longer than it may. */
  readonly isStuck: boolean;
}

/** A module may take so long to load, however little a record may take: its code is read from a disk that may be busy. */
const moduleMsMin = 5_000;

/** How long a module may take to load, in ms, where a record may take `recordMsMax`. */
export function moduleMsMax(recordMsMax: number): number {
  return Math.max(recordMsMax, moduleMsMin);
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
  #moduleMs = 0;

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
    if (running === "module") this.#moduleMs += passed;
    this.#records = records;
    this.#calls = calls;
    const place = `${records} ${bytes}`;
    const hasMoved = place !== this.#place;
    this.#place = place;
    const isStuck = Math.max(this.#recordMs, this.#callMs) > this.#msMax || this.#moduleMs > moduleMsMax(this.#msMax);
    return { hasMoved, isStuck };
  }
}
