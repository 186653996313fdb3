/** The journal's table: slots, their checksums, and the end that everything continues from. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Entry } from "../../model/entry.ts";
import { entryCrc } from "../../model/entryCrc.ts";
import type { Nonce } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { damaged } from "./connection.ts";

/** What the next entry has to continue. */
export interface Tail {
  readonly seq: number;
  readonly crc: number;
  readonly ordMax: number;
}

type Row = ReturnType<StatementSync["get"]>;

const columns = "seq, epoch, nonce, at, format, previous_crc, crc, body";

export class Journal {
  readonly #path: string;
  readonly #tail: StatementSync;
  readonly #last: StatementSync;
  readonly #from: StatementSync;
  readonly #back: StatementSync;
  readonly #insert: StatementSync;
  readonly #compact: StatementSync;

  constructor(database: DatabaseSync, path: string) {
    this.#path = path;
    this.#tail = database.prepare("SELECT seq, crc, ord_max FROM journal ORDER BY seq DESC LIMIT 1");
    this.#last = database.prepare(`SELECT ${columns} FROM journal ORDER BY seq DESC LIMIT 1`);
    this.#from = database.prepare(`SELECT ${columns} FROM journal WHERE seq >= ? ORDER BY seq LIMIT ?`);
    this.#back = database.prepare(`SELECT ${columns} FROM journal ORDER BY seq DESC LIMIT ?`);
    this.#insert = database.prepare(
      "INSERT INTO journal (seq, epoch, nonce, at, format, previous_crc, crc, ord_max, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#compact = database.prepare(
      `DELETE FROM journal WHERE seq IN (
         SELECT seq FROM journal WHERE seq < min(?, (SELECT max(seq) FROM journal)) ORDER BY seq LIMIT ?
       )`,
    );
  }

  tail(): Tail | null {
    const row = this.#tail.get();
    return row === undefined
      ? null
      : { seq: Number(row["seq"]), crc: Number(row["crc"]), ordMax: Number(row["ord_max"]) };
  }

  /** @throws StoreRefused, as every read here, for an entry that is not what was written */
  last(): Entry | null {
    const row = this.#last.get();
    return row === undefined ? null : this.#intact(toEntry(row));
  }

  /** Fewer than `max` where they are large. */
  read(fromSeq: number, max: number): Entry[] {
    const entries: Entry[] = [];
    let length = 0;
    for (const row of this.#from.iterate(fromSeq, max)) {
      const entry = this.#intact(toEntry(row));
      entries.push(entry);
      length += entry.body.length;
      if (length > limits.storeReadTextMax) break;
    }
    return entries;
  }

  insert(entry: Entry, ordMax: number): void {
    const { seq, epoch, nonce, at, format, previousCrc, crc, body } = entry;
    this.#insert.run(seq, epoch, nonce, at, format, previousCrc, crc, ordMax, body);
  }

  compact(belowSeq: number, max: number): number {
    return Number(this.#compact.run(belowSeq, max).changes);
  }

  /** Walks the chain back from the last entry, as far as `limits` say. @throws StoreRefused where it is broken */
  checkEnd(): void {
    let next: Entry | null = null;
    let bytes = 0;
    for (const row of this.#back.iterate(limits.storeOpenEntriesMax)) {
      const entry = this.#intact(toEntry(row));
      const broken: string | null = next === null ? null : brokenLink(entry, next);
      if (broken !== null) throw damaged(`The journal in ${this.#path} is damaged: ${broken}`);
      next = entry;
      bytes += entry.body.length;
      if (bytes > limits.storeOpenBytesMax) break;
    }
  }

  #intact(entry: Entry): Entry {
    if (entryCrc(entry) === entry.crc) return entry;
    throw damaged(`The journal in ${this.#path} is damaged: entry ${entry.seq} does not match its checksum.`);
  }
}

export function toEntry(row: NonNullable<Row>): Entry {
  return {
    seq: Number(row["seq"]),
    epoch: Number(row["epoch"]),
    nonce: String(row["nonce"]) as Nonce,
    at: Number(row["at"]),
    format: Number(row["format"]),
    previousCrc: Number(row["previous_crc"]),
    crc: Number(row["crc"]),
    body: String(row["body"]),
  };
}

/** Why `next` cannot follow `entry`, as a sentence; null if it does. */
export function brokenLink(entry: Entry, next: Entry): string | null {
  if (next.seq !== entry.seq + 1) return `after entry ${entry.seq} comes entry ${next.seq}.`;
  if (next.previousCrc !== entry.crc) return `entry ${next.seq} does not continue entry ${entry.seq}.`;
  if (next.epoch < entry.epoch)
    return `entry ${next.seq} is of epoch ${next.epoch}, after one of epoch ${entry.epoch}.`;
  return null;
}
