/** Several real masters in one process: one store, an HTTP API each, and workers that reach whom a test lets them reach. */

import { type ApiServer, createApi } from "../../../src/api/http/server.ts";
import { Master, type MasterSettings } from "../../../src/master/master.ts";
import { Bearer } from "../../../src/model/bearer.ts";
import type { BootId, WorkerId } from "../../../src/model/ids.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { createDial } from "../../../src/node/httpLink.ts";
import { SystemIds } from "../../../src/node/ids.ts";
import { createPeers } from "../../../src/node/peers.ts";
import { probe } from "../../../src/node/probe.ts";
import { LinkError } from "../../../src/ports/transport.ts";
import { FakeExecutor, FakeOutbox, FakeSpool } from "../../../src/proof/fakes/fakeWorkerPorts.ts";
import { MemoryStore } from "../../../src/stores/memory/store.ts";
import { Worker } from "../../../src/worker/worker.ts";

export const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface StagedMaster {
  readonly master: Master;
  readonly api: ApiServer;
  readonly url: string;
}

export interface StagedWorker {
  readonly worker: Worker;
  readonly executor: FakeExecutor;
  readonly outbox: FakeOutbox;
  readonly spool: FakeSpool;
  /** Addresses that it cannot reach from now on. */
  readonly unreachable: Set<string>;
  /** The master it is attached to, directly or as a relay; null while it looks for one. */
  attachedTo: string | null;
}

export class Stage {
  readonly store = new MemoryStore({ ids: new SystemIds() });
  readonly #masters: StagedMaster[] = [];
  readonly #workers: StagedWorker[] = [];

  constructor() {
    // It is everybody's.
    this.store.close = async () => {};
  }

  async startMaster(name: string, settings: Partial<MasterSettings> = {}): Promise<StagedMaster> {
    const master = new Master({
      name,
      address: "http://127.0.0.1:0",
      store: this.store,
      clock: new SystemClock(),
      ids: new SystemIds(),
      log: silent,
      probe,
      peers: createPeers(null),
      settings,
    });
    const api = createApi({ master: master.service, log: silent, token: null });
    const url = await api.listen({ address: "127.0.0.1", port: 0 });
    await master.start(url);
    const staged = { master, api, url };
    this.#masters.push(staged);
    await until(() => master.service.status().leader !== null);
    return staged;
  }

  /** Leaves in good order. */
  async stopMaster({ master, api }: StagedMaster): Promise<void> {
    await api.close();
    await master.stop();
  }

  async startWorker(
    name: string,
    masters: readonly string[],
    unreachable: readonly string[] = [],
  ): Promise<StagedWorker> {
    const dial = createDial({ bearer: new Bearer(null), log: silent });
    const [executor, outbox, spool] = [new FakeExecutor(), new FakeOutbox(), new FakeSpool()];
    const cut = new Set(unreachable);
    const worker = new Worker({
      id: name as WorkerId,
      boot: `boot of ${name}`.replaceAll(" ", "-") as BootId,
      capacity: 2,
      queues: ["default"],
      masters,
      dial: (address) => {
        if (!cut.has(address)) return dial(address);
        const refuse = () => Promise.reject(new LinkError("unreachable", "There is no way there."));
        return {
          attach: refuse,
          report: refuse,
          sendLogs: refuse,
          readSteps: refuse,
          readChildren: refuse,
          openStream: () => ({ close: () => {} }),
        };
      },
      clock: new SystemClock(),
      log: silent,
      outbox,
      spool,
      executor,
      hostname: "here",
      pid: 1,
      version: "1",
      probePort: null,
      onStatus: ({ master }) => {
        staged.attachedTo = master;
      },
    });
    const staged: StagedWorker = { worker, executor, outbox, spool, unreachable: cut, attachedTo: null };
    this.#workers.push(staged);
    await worker.start();
    return staged;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map(({ worker }) => worker.stop()));
    await Promise.all(this.#masters.map((staged) => this.stopMaster(staged)));
  }
}

/** Resolves when it holds; a test's own limit ends a wait in vain. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
