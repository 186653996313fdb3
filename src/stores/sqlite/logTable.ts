/** Pieces of output, each stored once, and gone some time after their task. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TaskId } from "../../model/ids.ts";
import type { LogChunk } from "../../model/protocol.ts";

export class LogTable {
  readonly #insert: StatementSync;
  readonly #from: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      "INSERT INTO logs (ord, attempt, byte_offset, at, is_truncated, bytes) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#from = database.prepare(
      `SELECT byte_offset, at, is_truncated, bytes FROM logs
       WHERE ord = ? AND attempt = ? AND byte_offset >= ? ORDER BY byte_offset`,
    );
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
}
