/** What a batch writes, on its way to becoming one entry: each record encoded once, and counted as it comes. */
import type { SchedulerEffect, SchedulerOutput } from "../../core/scheduler/effects.ts";
import type { Write } from "../../model/entry.ts";
import { recordText } from "../../model/entryWrites.ts";
import { limits } from "../../model/limits.ts";

/** What stands around a record in the entry's body. */
const frameBytes = 64;

export class EntryDraft implements SchedulerOutput {
  readonly seq: number;
  readonly writes: Write[] = [];
  readonly effects: SchedulerEffect[] = [];
  readonly #texts = new Map<Write, string>();
  #counted = 0;
  #bytes = 0;

  constructor(seq: number) {
    this.seq = seq;
  }

  /** Bytes of all writes so far, or a little more. */
  get bytes(): number {
    for (; this.#counted < this.writes.length; this.#counted += 1) {
      const write = this.writes[this.#counted];
      if (write !== undefined) this.#bytes += Buffer.byteLength(this.textOf(write)) + frameBytes;
    }
    return this.#bytes;
  }

  isFull(): boolean {
    return this.bytes >= limits.entryFillBytes;
  }

  /** The JSON text of the record inside a write. */
  textOf(write: Write): string {
    let text = this.#texts.get(write);
    if (text === undefined) {
      text = recordText(write);
      this.#texts.set(write, text);
    }
    return text;
  }
}
