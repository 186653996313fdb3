/** The digest tells memories apart that differ in any record, and is the same for memories that hold the same. */
import { describe, expect, test } from "vitest";
import { hotCollections } from "../../model/collections/table.ts";
import type { DigestSums, Write } from "../../model/entry.ts";
import {
  changed,
  created,
  queueWrite,
  workerGone,
  workerRecord,
  workerWrite,
} from "../../proof/contracts/storeJournal.ts";
import { RecordDigest } from "./digest.ts";
import { KeptRecords } from "./records.ts";
import { Scheduler } from "./scheduler.ts";

function following(...writes: Write[]): Scheduler {
  const scheduler = new Scheduler();
  for (const write of writes) scheduler.apply(write, 0);
  return scheduler;
}

const worker = workerRecord("w", { probe: { host: "h", port: 1 }, queues: ["a", "b"] });
/** What `all` writes. */
const parts = ["tasks", "queues", "workers"];
const all: Write[] = [...created("t"), queueWrite({ name: "q", isPaused: true }), workerWrite(worker)];

describe("the digest of a scheduler", () => {
  test("has a sum for the tasks and for every hot collection", () => {
    const { digest } = following(...all);
    expect(Object.keys(digest).toSorted()).toEqual(["tasks", ...hotCollections].toSorted());
    for (const part of parts) expect(digest[part]).not.toBe(0);
  });

  test.each([
    ["another boot", workerWrite({ ...worker, boot: "other" as typeof worker.boot }), "workers"],
    ["a drain", workerWrite({ ...worker, isDraining: true }), "workers"],
    ["a loss", workerWrite({ ...worker, state: "lost" }), "workers"],
    ["other queues", workerWrite({ ...worker, queues: ["b", "a"] }), "workers"],
    ["another port", workerWrite({ ...worker, probe: { host: "h", port: 2 } }), "workers"],
    ["no port", workerWrite(workerRecord("w", { queues: ["a", "b"] })), "workers"],
    ["a field of a later version", workerWrite({ ...worker, ...{ later: 1 } }), "workers"],
    ["a removal", workerGone("w"), "workers"],
    ["a queue that goes on", queueWrite({ name: "q", isPaused: false }), "queues"],
    ["a queue's removal", { kind: "record", collection: "queues", id: "q", value: null }, "queues"],
    ["a task's start", changed("t", "running"), "tasks"],
  ] satisfies [string, Write, string][])("changes with %s, in that part alone", (_what, write, part) => {
    const before = following(...all).digest;
    const after = following(...all, write).digest;
    const differing = Object.keys(before).filter((name) => before[name] !== after[name]);
    expect(differing).toEqual([part]);
  });

  test("is the same whatever order the records and their fields came in, and whatever came between", () => {
    const { probe, queues, ...rest } = worker;
    const shuffled = workerWrite({ queues, ...rest, ...(probe && { probe: { port: probe.port, host: probe.host } }) });
    const other = following(
      workerWrite(workerRecord("w")),
      queueWrite({ name: "gone", isPaused: true }),
      ...all.toReversed().filter((write) => write.kind === "record"),
      shuffled,
      { kind: "record", collection: "queues", id: "gone", value: null },
      ...created("t"),
    );
    expect(other.digest).toEqual(following(...all).digest);
  });

  test("does not tell apart what a leader knows of a worker and its record does not say", () => {
    const leader = following(...all);
    leader.activate(0, 1, 1);
    expect(leader.digest).toEqual(following(...all).digest);
  });

  test.each(parts)("is found to differ where a follower has missed a change of %s", (part) => {
    const leader = following(...all);
    const missed = following(...all.filter((write) => partOf(write) !== part));
    missed.apply({ kind: "digest", digest: leader.digest }, 0);
    expect(missed.hasDrifted).toBe(true);
    const whole = following(...all);
    whole.apply({ kind: "digest", digest: leader.digest }, 0);
    expect(whole.hasDrifted).toBe(false);
  });

  test("of a leader of format 1 is compared as far as it goes", () => {
    const { tasks } = following(...all).digest;
    const follower = following(...all);
    follower.apply({ kind: "digest", digest: { tasks } }, 0);
    expect(follower.hasDrifted).toBe(false);
    const wrong: DigestSums = { tasks: tasks + 1 };
    follower.apply({ kind: "digest", digest: wrong }, 0);
    expect(follower.hasDrifted).toBe(true);
  });
});

test("a collection that is nothing but its records holds the last value of each", () => {
  const kept = new KeptRecords<number>();
  kept.put("a", 1);
  kept.put("a", 2);
  kept.put("b", 3);
  kept.put("b", null);
  expect([kept.recordOf("a"), kept.recordOf("b"), kept.recordOf("c")]).toEqual([2, null, null]);
});

test("a sum is back to nothing when all of its records are gone", () => {
  const digest = new RecordDigest();
  digest.note("queues", "a", { name: "a", isPaused: true });
  digest.note("queues", "a", { name: "a", isPaused: false });
  digest.note("queues", "a", null);
  expect(digest.sums).toMatchObject({ queues: 0, workers: 0 });
});

function partOf(write: Write): string {
  return write.kind === "record" ? write.collection : "tasks";
}
