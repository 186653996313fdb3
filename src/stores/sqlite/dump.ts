/** Everything in a store's file, as of one instant, for a store of another kind that takes it over. */
import type { DatabaseSync } from "node:sqlite";
import type { CollectionVersions } from "../../model/collections/table.ts";
import type { Entry } from "../../model/entry.ts";
import type { Lease } from "../../model/lease.ts";
import { StoreRefused } from "../../ports/store.ts";
import type { StoreDump } from "../storeDump.ts";
import { connectToRead, guarded } from "./connection.ts";
import { toEntry } from "./journal.ts";
import { refuseDamagedLog } from "./logDamage.ts";
import { isCurrent } from "./schema.ts";

/** Opens a file for reading; `close` must be called. @throws StoreRefused for one that a leader has not brought up to this version */
export async function openDump(path: string): Promise<StoreDump> {
  await refuseDamagedLog(path);
  return guarded(path, () => {
    const database = connectToRead(path);
    try {
      database.exec("BEGIN");
      if (!isCurrent(database, path)) {
        throw new StoreRefused(
          `${path} has the layout of an older version.`,
          "Let a master of this version lead it once, stop it, and move it then.",
        );
      }
      return new SqliteDump(database);
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

class SqliteDump implements StoreDump {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get incarnation(): string {
    return this.#meta("incarnation") ?? "";
  }

  get collections(): CollectionVersions | null {
    const text = this.#meta("collections");
    return text === null ? null : (JSON.parse(text) as CollectionVersions);
  }

  get lease(): Lease | null {
    const row = this.#database.prepare("SELECT epoch, nonce, beat, address, is_resigned, ttl_ms FROM lease").get();
    if (row === undefined) return null;
    return {
      epoch: Number(row["epoch"]),
      nonce: String(row["nonce"]) as Lease["nonce"],
      beat: Number(row["beat"]),
      address: String(row["address"]),
      isResigned: row["is_resigned"] === 1,
      ttlMs: Number(row["ttl_ms"]),
    };
  }

  *entries(): Generator<{ entry: Entry; ordMax: number }> {
    for (const row of this.#database.prepare("SELECT * FROM journal ORDER BY seq").iterate())
      yield { entry: toEntry(row), ordMax: Number(row["ord_max"]) };
  }

  *tasks(): Generator<{ ord: number; seq: number; spec: string; status: string }> {
    const rows = this.#database.prepare("SELECT ord, seq, spec, status FROM tasks JOIN specs USING (ord) ORDER BY ord");
    for (const row of rows.iterate())
      yield {
        ord: Number(row["ord"]),
        seq: Number(row["seq"]),
        spec: String(row["spec"]),
        status: String(row["status"]),
      };
  }

  *records(): Generator<{ collection: string; key: string; ord: number | null; seq: number; value: string }> {
    for (const row of this.#database.prepare("SELECT collection, id, seq, value FROM records").iterate())
      yield {
        collection: String(row["collection"]),
        key: String(row["id"]),
        ord: null,
        seq: Number(row["seq"]),
        value: String(row["value"]),
      };
    const ofTasks = "SELECT ord, collection, key, task_records.seq, value FROM task_records JOIN tasks USING (ord)";
    for (const row of this.#database.prepare(ofTasks).iterate())
      yield {
        collection: String(row["collection"]),
        key: String(row["key"]),
        ord: Number(row["ord"]),
        seq: Number(row["seq"]),
        value: String(row["value"]),
      };
  }

  *logs(): Generator<ReturnType<StoreDump["logs"]> extends Iterable<infer Piece> ? Piece : never> {
    const rows = this.#database.prepare(
      `SELECT logs.ord, id, attempt, byte_offset, at, is_truncated, bytes FROM logs JOIN tasks USING (ord)
       ORDER BY logs.ord, attempt, byte_offset`,
    );
    for (const row of rows.iterate())
      yield {
        ord: Number(row["ord"]),
        task: String(row["id"]),
        attempt: Number(row["attempt"]),
        offset: Number(row["byte_offset"]),
        at: Number(row["at"]),
        isTruncated: row["is_truncated"] === 1,
        bytes: row["bytes"] instanceof Uint8Array ? row["bytes"] : new Uint8Array(),
      };
  }

  close(): void {
    this.#database.close();
  }

  #meta(key: string): string | null {
    const row = this.#database.prepare("SELECT value FROM meta WHERE key = ?").get(key);
    return row === undefined ? null : String(row["value"]);
  }
}
