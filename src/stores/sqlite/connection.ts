/** One connection to a database file: how it is tuned, and what SQLite's errors mean to a master. */
import { accessSync, constants } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { limits } from "../../model/limits.ts";
import { StoreRefused, StoreUnavailable } from "../../ports/store.ts";
import { describeLockHolder } from "./lockHolder.ts";

/** Larger pages than SQLite's 4 KiB: an entry's body and a piece of log span fewer of them. Measured in docs/decisions. */
export const pageBytes = 8192;

/** A connection that may write. It changes nothing yet: first see whose file it is, then `enterWal`. */
export function connect(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: limits.storeOpenBusyMsMax });
  // No memory map: through one, a failing disk ends the process with SIGBUS instead of an error.
  database.exec(`
    PRAGMA page_size = ${pageBytes};
    PRAGMA mmap_size = 0;
    PRAGMA cell_size_check = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -${limits.storeCacheBytesMax / 1024};
  `);
  return database;
}

/** `synchronous=FULL` syncs the write-ahead log at every commit: what is committed survives the power. */
export function enterWal(database: DatabaseSync, path: string): void {
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
  if (mode !== "wal") {
    throw new StoreRefused(
      `${path} cannot have a write-ahead log (SQLite offers the journal mode "${String(mode)}").`,
      "Put the store on a local disk with an ordinary file system.",
    );
  }
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = ${4 * limits.storeWalBytesMax};
    PRAGMA wal_autocheckpoint = ${limits.storeWalBytesMax / pageBytes};
    PRAGMA busy_timeout = ${limits.storeBusyMsMax};
  `);
}

/** A connection for long reads: inside a transaction it sees one instant, whatever is committed meanwhile. */
export function connectToRead(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: limits.storeOpenBusyMsMax });
}

/** Runs `write` in one transaction that holds the only write lock, also against other processes: all of it or nothing. */
export function transact<Result>(database: DatabaseSync, write: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = write();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // After some errors SQLite has rolled back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Runs `read` so that all of its statements see the same instant. */
export function atOneInstant<Result>(database: DatabaseSync, read: () => Result): Result {
  database.exec("BEGIN");
  try {
    return read();
  } finally {
    if (database.isTransaction) database.exec("COMMIT");
  }
}

/** Runs `use` and turns SQLite's errors into what the Store port promises. */
export function guarded<Result>(path: string, use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    throw toStoreError(path, error);
  }
}

/** https://sqlite.org/rescode.html: the low byte is the class of the error. */
const codes = {
  perm: 3,
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  /** A read could not begin for ten seconds, because others kept on taking or recovering the write-ahead log. */
  protocol: 15,
  notadb: 26,
};

/** The write-ahead log's index, `-shm`, could not be made larger; SQLite calls this an I/O error. */
const noRoomForIndex = 4874;

export function toStoreError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return error;
  const said = `${error.message}, SQLite error ${error.errcode}`;
  switch (error.errcode === noRoomForIndex ? codes.full : error.errcode & 0xff) {
    case codes.full:
      return new StoreUnavailable("full", `There is no room left on the disk of ${path} (${said}).`, { cause: error });
    case codes.busy:
    case codes.locked:
    case codes.protocol:
      return new StoreUnavailable("busy", `${holderOf(path)} holds ${path} (${said}).`, { cause: error });
    case codes.io:
    case codes.readonly:
    case codes.perm:
    case codes.cantopen:
      return new StoreUnavailable("io", `${path} cannot be read or written (${said}).${whyNot(path)}`, {
        cause: error,
      });
    case codes.corrupt:
      return damaged(`${path} is damaged (${said}).`, error);
    case codes.notadb:
      return damaged(`${path} is not a SQLite database, or its first bytes are damaged (${said}).`, error);
    default:
      return error;
  }
}

/** A disk that has failed is often made read-only by the system; SQLite does not tell that from other errors. */
function whyNot(path: string): string {
  try {
    accessSync(path, constants.W_OK);
    return "";
  } catch (error) {
    const isReadOnly = error instanceof Error && "code" in error && error.code === "EROFS";
    return isReadOnly ? " Its file system is read-only: see why in the system's log, and mount it for writing." : "";
  }
}

function holderOf(path: string): string {
  const holder = describeLockHolder(path);
  return holder === null ? "Another process" : `Another process, ${holder},`;
}

/** Nothing is repaired silently: which of two truths is right is the operator's to say. */
export function damaged(message: string, cause?: unknown): StoreRefused {
  return new StoreRefused(
    message,
    "Look at the damage with `outlast doctor`; keep a copy of the file and restore the store from a backup.",
    { cause },
  );
}

/** Lets everything else that waits have its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
