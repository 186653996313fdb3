/** A folder of its own for each test that works on real database files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { SqliteStore } from "../../../src/stores/sqlite/store.ts";
import { countingIds } from "../countingIds.ts";

export interface StoreFolder {
  readonly folder: string;
  readonly path: string;
  /** A new handle on the file; closed when the test ends. */
  newStore(path?: string): SqliteStore;
}

/** Call it inside a `describe`; the returned function gives the current test's folder. */
export function useStoreFolder(): () => StoreFolder {
  let current: StoreFolder | null = null;
  const opened: SqliteStore[] = [];
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), "outlast-sqlite-"));
    const file = join(folder, "outlast.db");
    const ids = countingIds();
    const newStore = (path = file) => {
      const store = new SqliteStore({ path, ids });
      opened.push(store);
      return store;
    };
    current = { folder, path: file, newStore };
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    if (current !== null) rmSync(current.folder, { recursive: true });
  });
  return () => {
    if (current === null) throw new Error("There is a folder only while a test runs.");
    return current;
  };
}
