/** Every store driver passes the same suite. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "../../src/stores/memory/store.ts";
import { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { storeContract } from "../../src/testing/storeContract.ts";
import { countingIds } from "./countingIds.ts";

storeContract("memory", async () => {
  const store = new MemoryStore({ ids: countingIds() });
  return { handle: () => store, remove: async () => {} };
});

storeContract("sqlite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "outlast-store-"));
  const ids = countingIds();
  return {
    handle: () => new SqliteStore({ path: join(folder, "outlast.db"), ids }),
    remove: () => rm(folder, { recursive: true }),
  };
});
