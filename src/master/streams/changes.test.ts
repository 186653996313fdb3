/** The stream of changes, where its beginning is delicate. */

import { describe, expect, test } from "vitest";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import { CollectionGaps } from "../journal/collectionGaps.ts";
import { Changes } from "./changes.ts";

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test("nobody is let in before it is known how long the journal is", async () => {
  const changes = new Changes({ readEntries: async () => [] } as Partial<Store> as Store, silent, new CollectionGaps());
  // A client of the master that died had seen up to 5; 6 was committed, and not told. Let in here, it would never hear of 6.
  await expect(changes.subscribe(5, () => {})).rejects.toMatchObject({ code: "unavailable" });
  changes.startAt(6);
  await expect(changes.subscribe(6, () => {})).resolves.toBeDefined();
});

describe("a master that reads its memory anew", () => {
  function following() {
    const changes = new Changes(
      { readEntries: async () => [] } as Partial<Store> as Store,
      silent,
      new CollectionGaps(),
    );
    const told: (number | "gap")[] = [];
    changes.startAt(5);
    const listen = () =>
      changes.subscribe(
        5,
        ({ seq }) => told.push(seq),
        () => told.push("gap"),
      );
    const publish = (seq: number) => changes.publish({ seq, epoch: 1, at: 0, writes: [] });
    return { changes, told, listen, publish };
  }

  test("tells its listeners at once that entries were passed over, not only with the next one", async () => {
    const { changes, told, listen } = following();
    await listen();
    changes.startAt(9);
    expect(told).toEqual(["gap"]);
    expect(changes.seq).toBe(9);
  });

  test("tells it before the first entry that follows", async () => {
    const { told, listen, publish } = following();
    await listen();
    for (const seq of [6, 9, 10]) publish(seq);
    expect(told).toEqual([6, "gap", 9, 10]);
  });

  test("does not tell again what it reads again", async () => {
    const { changes, told, listen, publish } = following();
    await listen();
    for (const seq of [6, 7, 6, 7, 8]) publish(seq);
    changes.startAt(8);
    expect(told).toEqual([6, 7, 8]);
  });
});
