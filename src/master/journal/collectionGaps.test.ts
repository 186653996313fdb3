/** A master that lacks a collection follows what it understands, notices no drift in the rest, and does not lead. */
import { expect, test } from "vitest";
import { Scheduler } from "../../core/scheduler/scheduler.ts";
import { collectionVersions } from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";
import { SystemIds } from "../../node/ids.ts";
import { created, queueWrite, TestJournal, workerRecord, workerWrite } from "../../proof/contracts/storeJournal.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { MemoryStore } from "../../stores/memory/store.ts";
import { CollectionGaps } from "./collectionGaps.ts";
import { Follower } from "./follower.ts";

const newer = { ...collectionVersions, workers: 2, riddles: 1 };
const marker = (collections: { readonly [name: string]: number }): Write => ({
  kind: "marker",
  address: "http://newer:1",
  collections,
});
const riddle = { kind: "record", collection: "riddles", id: "r", value: { any: "thing" } } as unknown as Write;
/** A worker as a later version may write it: this one could not read it. */
const laterWorker = { kind: "record", collection: "workers", id: "w2", value: { shape: "later" } } as unknown as Write;

function follow(store: MemoryStore) {
  const gaps = new CollectionGaps();
  const drifts: number[] = [];
  const follower = new Follower({
    ...{ store, gaps },
    clock: new FakeClock(),
    settings: {},
    onDrift: (seq) => drifts.push(seq),
  });
  const seen: Write[] = [];
  const catchUp = () => follower.catchUp((batch) => seen.push(...batch.writes));
  return { gaps, drifts, follower, seen, catchUp };
}

async function openStore(): Promise<MemoryStore> {
  const store = new MemoryStore({ ids: new SystemIds() });
  await store.open();
  return store;
}

test("a gap is a collection that is not known, or not in this version", () => {
  const gaps = new CollectionGaps({ queues: 1, workers: 2 });
  expect(gaps.note({ queues: 1, workers: 2 })).toBe(false);
  expect(gaps.note({ queues: 1, workers: 1 })).toBe(false);
  expect(gaps.note({ queues: 2, workers: 2, riddles: 1 })).toBe(true);
  expect([...gaps.missing]).toEqual(["queues", "riddles"]);
  expect(gaps.note({ riddles: 1, queues: 3 })).toBe(false);
  expect(gaps.note({ queues: 1 })).toBe(true);
  expect(gaps.missing.size).toBe(0);
});

test("a follower goes on with what it understands when a newer master takes over", async () => {
  const store = await openStore();
  const journal = new TestJournal();
  const { gaps, drifts, follower, seen, catchUp } = follow(store);
  await store.append(journal.next(workerWrite(workerRecord("w1")), queueWrite({ name: "q", isPaused: true })));
  await catchUp();
  expect(follower.scheduler.digest).not.toMatchObject({ workers: 0 });
  await store.append(journal.next(marker(newer)));
  await catchUp();
  expect([...gaps.missing]).toEqual(["workers", "riddles"]);
  expect(follower.scheduler.digest).toMatchObject({ workers: 0 });
  // The leader's sums have parts that this memory does not hold.
  const { tasks, queues } = follower.scheduler.digest;
  await store.append(journal.next({ kind: "digest", digest: { tasks, queues: queues ?? 0, workers: 77, riddles: 5 } }));
  await store.append(journal.next(riddle, laterWorker, ...created("t")));
  await catchUp();
  expect(drifts).toEqual([]);
  expect(follower.scheduler.countTasks()).toEqual({ created: 1 });
  expect(seen.filter((write) => write.kind === "record" && write.collection !== "queues")).toEqual([]);
});

test("a follower that starts behind the newer master's marker loads what it understands", async () => {
  const store = await openStore();
  const journal = new TestJournal();
  await store.append(journal.next(marker(newer)));
  await store.append(journal.next(riddle, laterWorker, queueWrite({ name: "q", isPaused: true }), ...created("t")));
  await store.compact(2, 10);
  const { gaps, follower, catchUp } = follow(store);
  await catchUp();
  expect([...gaps.missing]).toEqual(["workers", "riddles"]);
  const expected = new Scheduler();
  for (const write of [queueWrite({ name: "q", isPaused: true }), ...created("t")]) expected.apply(write, 0);
  expect(follower.scheduler.digest).toEqual(expected.digest);
});

test("a follower whose leader knows no more than it does lacks nothing again", async () => {
  const store = await openStore();
  const journal = new TestJournal();
  const { gaps, follower, catchUp } = follow(store);
  await store.append(journal.next(workerWrite(workerRecord("w1")), marker({ ...collectionVersions, riddles: 1 })));
  await catchUp();
  await store.append(journal.next(marker(collectionVersions)));
  await catchUp();
  expect(gaps.missing.size).toBe(0);
  expect(follower.scheduler.digest).not.toMatchObject({ workers: 0 });
});
