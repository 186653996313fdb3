/** A master that is alone and leads, with a store in memory; everything else is real. */
import { Master, type MasterOptions } from "../../master/master.ts";
import { SystemClock } from "../../node/clock.ts";
import { SystemIds } from "../../node/ids.ts";
import { MemoryStore } from "../../stores/memory/store.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Resolves once it leads. Whoever starts it must stop it. */
export async function startSoloMaster(options: Partial<MasterOptions> = {}): Promise<Master> {
  const { name = "m1" } = options;
  const master = new Master({
    name,
    address: `http://${name}:1`,
    store: new MemoryStore({ ids: new SystemIds() }),
    clock: new SystemClock(),
    ids: new SystemIds(),
    log: silent,
    probe: async () => "unknown",
    peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
    ...options,
  });
  await master.start();
  while (master.service.status().role !== "leader") await new Promise((resolve) => setImmediate(resolve));
  return master;
}
