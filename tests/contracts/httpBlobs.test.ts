/** The driver that reaches objects through masters passes the suite, too: through the leader, and through a standby. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApi } from "../../src/api/http/server.ts";
import { DirectoryBlobs } from "../../src/blobs/directory/blobs.ts";
import { HttpBlobs } from "../../src/blobs/http/blobs.ts";
import { Master } from "../../src/master/master.ts";
import { Bearer } from "../../src/model/bearer.ts";
import { SystemClock } from "../../src/node/clock.ts";
import { SystemIds } from "../../src/node/ids.ts";
import { type BlobsPlace, blobsContract } from "../../src/proof/contracts/blobsContract.ts";
import { MemoryStore } from "../../src/stores/memory/store.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const token = "a-token-of-some-length";

/** Two masters, the first of which leads; the second has another directory, so that it must ask the first. */
async function twoMasters(): Promise<BlobsPlace & { readonly urls: readonly string[] }> {
  const store = new MemoryStore({ ids: new SystemIds() });
  const ends: (() => Promise<unknown>)[] = [];
  const urls: string[] = [];
  for (const name of ["m1", "m2"]) {
    const path = await mkdtemp(join(tmpdir(), "outlast-blobs-"));
    const blobs = new DirectoryBlobs({ path, isShared: false });
    await blobs.open();
    const master = new Master({
      ...{ name, address: "", store, blobs, clock: new SystemClock(), ids: new SystemIds(), log: silent },
      probe: async () => "unknown",
      peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
    });
    const api = createApi({ master: master.service, log: silent, token });
    const url = await api.listen({ address: "127.0.0.1", port: 0 });
    urls.push(url);
    ends.unshift(async () => {
      await master.stop();
      await api.close();
      await rm(path, { recursive: true });
    });
    await master.start(url);
    const wanted = name === "m1" ? "leader" : "standby";
    const isReady = () => master.service.status().role === wanted && master.service.status().leader !== null;
    while (!isReady()) await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    urls,
    handle: () => new HttpBlobs({ masters: urls, bearer: new Bearer(token) }),
    remove: async () => {
      for (const end of ends) await end();
    },
  };
}

blobsContract("through the leader", twoMasters);
blobsContract("through a standby with a directory of its own, and past a master that is dead", async () => {
  const place = await twoMasters();
  const masters = ["http://127.0.0.1:1", ...place.urls.slice(1)];
  return { ...place, handle: () => new HttpBlobs({ masters, bearer: new Bearer(token) }) };
});
