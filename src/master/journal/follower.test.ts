/** A follower of the journal whose beginning goes away while it reads. */

import { expect, test } from "vitest";
import type { CollectionName } from "../../model/collections/table.ts";
import type { Nonce } from "../../model/ids.ts";
import { SystemClock } from "../../node/clock.ts";
import { SystemIds } from "../../node/ids.ts";
import { MemoryStore } from "../../stores/memory/store.ts";
import { CollectionGaps } from "./collectionGaps.ts";
import { Follower } from "./follower.ts";
import { encodeEntry, journalStart, positionOf } from "./journal.ts";

test("reads the view anew where the very entry that it rests on is compacted away meanwhile", async () => {
  const leader = { epoch: 1, nonce: "leader" as Nonce };
  const first = encodeEntry(journalStart, leader, 5, [{ kind: "marker", address: "http://leader:1", collections: {} }]);
  const second = encodeEntry(positionOf(first), leader, 6, []);
  /** Between the reading of the view and that of its entry another one is added, and the first goes. */
  class HastyStore extends MemoryStore {
    loads = 0;

    override async loadView(collections: readonly CollectionName[]) {
      this.loads += 1;
      const view = await super.loadView(collections);
      if (this.loads > 1) return view;
      await this.append(second);
      await this.compact(second.seq, 10);
      return view;
    }
  }
  const store = new HastyStore({ ids: new SystemIds() });
  await store.open();
  await store.append(first);
  const follower = new Follower({
    store,
    clock: new SystemClock(),
    settings: {},
    gaps: new CollectionGaps(),
    onDrift: () => undefined,
  });
  await follower.catchUp(() => undefined);
  expect(follower.position).toEqual(positionOf(second));
  expect(store.loads).toBe(2);
});
