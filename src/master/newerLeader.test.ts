/** A whole master on a store that a newer version of Outlast has led. */
import { expect, test } from "vitest";
import { collectionVersions } from "../model/collections/table.ts";
import type { Nonce } from "../model/ids.ts";
import { SystemClock } from "../node/clock.ts";
import { SystemIds } from "../node/ids.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import { encodeEntry, journalStart } from "./journal/journal.ts";
import { Master } from "./master.ts";

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test("a master that lacks a collection of a newer one follows, says so, and never leads", async () => {
  const store = new MemoryStore({ ids: new SystemIds() });
  const newer = { epoch: 1, nonce: "newer" as Nonce };
  const collections = { ...collectionVersions, riddles: 1 };
  await store.append(encodeEntry(journalStart, newer, 5, [{ kind: "marker", address: "http://newer:1", collections }]));
  const errors: unknown[] = [];
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const master = new Master({
    name: "m",
    address: "http://m:1",
    store,
    clock: new SystemClock(),
    ids: new SystemIds(),
    log: { ...silent, error: (_message, fields) => errors.push(fields) },
    probe: async () => "unknown",
    peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
  });
  await master.start();
  // Nobody leads: any other master would take over as soon as it has read the journal.
  await until(() => errors.length > 0);
  expect(errors).toEqual([{ collections: "riddles" }]);
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(master.service.status()).toMatchObject({ role: "standby", epoch: 1 });
  expect((await store.readTail())?.seq).toBe(1);
  const sleep = { kind: "sleep", input: { seconds: 1 } } as const;
  await expect(master.service.submit([sleep], null)).rejects.toMatchObject({ code: "not-leader" });
  await master.stop();
});
