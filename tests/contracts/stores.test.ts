/** Every store driver passes the same suite. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ids } from "../../src/ports/ids.ts";
import type { Store } from "../../src/ports/store.ts";
import { storeContract } from "../../src/proof/contracts/storeContract.ts";
import type { StorePlace } from "../../src/proof/contracts/storePlace.ts";
import { MemoryStore } from "../../src/stores/memory/store.ts";
import { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { ThreadedSqliteStore } from "../../src/stores/sqlite/threadedStore.ts";
import { countingIds } from "./countingIds.ts";

storeContract("memory", async () => {
  const store = new MemoryStore({ ids: countingIds() });
  return { handle: () => store, remove: async () => {} };
});

storeContract("sqlite", () => inFolder((path, ids) => new SqliteStore({ path, ids })));

storeContract("sqlite in a thread", () => inFolder((path, ids) => new ThreadedSqliteStore({ path, ids })));

async function inFolder(newStore: (path: string, ids: Pick<Ids, "random">) => Store): Promise<StorePlace> {
  const folder = await mkdtemp(join(tmpdir(), "outlast-store-"));
  const ids = countingIds();
  return {
    handle: () => newStore(join(folder, "outlast.db"), ids),
    remove: () => rm(folder, { recursive: true }),
  };
}
