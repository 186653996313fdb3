/** Keeps a directory for one process at a time. The lock goes with the process, however that ends. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Node has no flock; SQLite has, on every system, and the kernel releases it when the process dies. A file with a process id
 * in it would do neither: it stays behind after SIGKILL, and ids are given out again.
 */
export class DirectoryLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Null if another process has it. */
  static tryTake(directory: string): DirectoryLock | null {
    const database = new DatabaseSync(join(directory, "lock"), { timeout: 0 });
    try {
      database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      return new DirectoryLock(database);
    } catch (error) {
      database.close();
      if (error instanceof Error && (error as { errcode?: number }).errcode === sqliteBusy) return null;
      throw error;
    }
  }

  release(): void {
    this.#database.close();
  }
}

const sqliteBusy = 5;
