/** Pieces of output, each stored once, and gone some time after their task. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";

export class LogTable {
  readonly #insert: StatementSync;
  readonly #from: StatementSync;
  readonly #forgotten: StatementSync;
  readonly #remove: StatementSync;
  readonly #settle: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      "INSERT INTO logs (ord, attempt, byte_offset, at, is_truncated, bytes) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#from = database.prepare(
      `SELECT byte_offset, at, is_truncated, bytes FROM logs
       WHERE ord = ? AND attempt = ? AND byte_offset >= ? ORDER BY byte_offset`,
    );
    this.#forgotten = database.prepare("SELECT ord FROM forgotten LIMIT 1");
    this.#remove = database.prepare("DELETE FROM logs WHERE rowid IN (SELECT rowid FROM logs WHERE ord = ? LIMIT ?)");
    this.#settle = database.prepare("DELETE FROM forgotten WHERE ord = ?");
  }

  put(ord: number, { attempt, offset, at, isTruncated, bytes }: LogChunk): void {
    this.#insert.run(ord, attempt, offset, at, isTruncated ? 1 : 0, bytes);
  }

  read(ord: number, task: TaskId, attempt: number, fromOffset: number, maxBytes: number): LogChunk[] {
    const chunks: LogChunk[] = [];
    let total = 0;
    for (const row of this.#from.iterate(ord, attempt, fromOffset)) {
      const bytes = row["bytes"] instanceof Uint8Array ? row["bytes"] : new Uint8Array();
      total += bytes.length;
      if (chunks.length > 0 && total > maxBytes) break;
      const isTruncated = row["is_truncated"] === 1;
      chunks.push({ task, attempt, offset: Number(row["byte_offset"]), at: Number(row["at"]), bytes, isTruncated });
    }
    return chunks;
  }

  /** Removes some of what forgotten tasks left, a bounded number of pieces at a time: a log can be far larger than an entry. */
  sweep(atLeast: number): void {
    let left = Math.max(atLeast, limits.storeSweepChunksMax);
    while (left > 0) {
      const row = this.#forgotten.get();
      if (row === undefined) return;
      const ord = Number(row["ord"]);
      const removed = Number(this.#remove.run(ord, left).changes);
      if (removed < left) this.#settle.run(ord);
      left -= removed + 1;
    }
  }
}
