/** The stream of changes, where its beginning is delicate. */
import { expect, test } from "vitest";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import { Changes } from "./changes.ts";

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test("nobody is let in before it is known how long the journal is", async () => {
  const changes = new Changes({ readEntries: async () => [] } as Partial<Store> as Store, silent);
  // A client of the master that died had seen up to 5; 6 was committed, and not told. Let in here, it would never hear of 6.
  await expect(changes.subscribe(5, () => {})).rejects.toMatchObject({ code: "unavailable" });
  changes.startAt(6);
  await expect(changes.subscribe(6, () => {})).resolves.toBeDefined();
});
