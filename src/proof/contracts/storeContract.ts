/** The one suite that every store driver passes: the duties of the Store port, each as a test. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Incarnation } from "../../model/ids.ts";
import type { Store } from "../../ports/store.ts";
import { attemptContract } from "./storeAttemptContract.ts";
import { changed, created, queueWrite, spec, TestJournal, taskId } from "./storeJournal.ts";
import { keepingContract } from "./storeKeepingContract.ts";
import { listContract } from "./storeListContract.ts";
import { logContract } from "./storeLogContract.ts";
import type { Current, StorePlace } from "./storePlace.ts";
import { recordContract } from "./storeRecordContract.ts";
import { documentContract, forgetContract, loadAll, loadContract, reopenContract } from "./storeViewContract.ts";

export function storeContract(driver: string, makePlace: () => Promise<StorePlace>): void {
  describe(`the ${driver} store`, () => {
    let place: StorePlace;
    let store: Store;
    let journal: TestJournal;

    beforeEach(async () => {
      place = await makePlace();
      store = place.handle();
      await store.open();
      journal = new TestJournal();
    });

    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    const current = () => ({ place, store, journal });
    describe("identity", () => {
      identityContract(current);
    });
    describe("journal", () => {
      journalContract(current);
    });
    describe("documents", () => {
      documentContract(current);
    });
    describe("view", () => {
      loadContract(current);
    });
    describe("records", () => {
      recordContract(current);
    });
    describe("forgetting", () => {
      forgetContract(current);
    });
    describe("reopening", () => {
      reopenContract(current);
    });
    describe("compaction", () => {
      compactionContract(current);
    });
    describe("lists", () => {
      listContract(current);
    });
    describe("attempts", () => {
      attemptContract(current);
    });
    describe("logs", () => {
      logContract(current);
    });
    describe("keeping", () => {
      keepingContract(current);
    });
    describe("lease", () => {
      leaseContract(current);
    });
  });
}

function identityContract(current: Current): void {
  test("a restored store gets a new incarnation, and keeps everything else", async () => {
    const { store, journal, place } = current();
    await store.append(journal.next(...created("a")));
    await store.setIncarnation("restored" as Incarnation);
    await store.close();
    expect((await store.open()).incarnation).toBe("restored");
    expect(await store.readTask(taskId("a"))).toMatchObject({ id: "a" });
    const other = place.handle();
    expect((await other.open()).incarnation).toBe("restored");
    await other.close();
  });

  test("an incarnation is drawn once and stays", async () => {
    const { place, store } = current();
    await store.close();
    const { incarnation, name, durability } = await store.open();
    expect(incarnation).toMatch(/./);
    expect(name).toMatch(/./);
    expect(durability).toMatch(/./);
    const other = place.handle();
    expect((await other.open()).incarnation).toBe(incarnation);
    await other.close();
  });

  test("a new store is empty", async () => {
    const { store } = current();
    expect(await store.readTail()).toBeNull();
    expect(await store.readEntries(1, 10)).toEqual([]);
    expect(await store.readTask(taskId("t"))).toBeNull();
    expect(await store.readLease()).toBeNull();
    expect(await store.findTasks([taskId("t")])).toEqual({ seq: 0, found: new Map() });
    expect(await loadAll(store)).toEqual({ seq: 0, tasks: [], records: [], collections: null, finished: [] });
  });
}

function journalContract(current: Current): void {
  test("a slot is given once: the second entry with a seq is refused and changes nothing", async () => {
    const { store, journal } = current();
    const entry = journal.next(...created("a"));
    expect(await store.append(entry)).toBe("committed");
    const other = new TestJournal(null, "nonce-b", 2).next(...created("b"));
    expect(await store.append(other)).toBe("taken");
    expect((await store.readTail())?.nonce).toBe("nonce-a");
    expect(await store.readTask(taskId("b"))).toBeNull();
  });

  test("the same bytes again are answered `taken`, and reading the slot shows the own nonce", async () => {
    const { store, journal } = current();
    const entry = journal.next(...created("a"));
    await store.append(entry);
    expect(await store.append(entry)).toBe("taken");
    const [stored] = await store.readEntries(entry.seq, 1);
    const { writes: _, texts: __, ...fields } = entry;
    expect(stored).toEqual(fields);
  });

  test("two handles race for a slot and one of them gets it", async () => {
    const { place, store, journal } = current();
    const other = place.handle();
    await other.open();
    const ours = journal.next(...created("a"));
    const theirs = new TestJournal(null, "nonce-b").next(...created("b"));
    const answers = await Promise.all([store.append(ours), other.append(theirs)]);
    expect(answers.toSorted()).toEqual(["committed", "taken"]);
    const winner = answers[0] === "committed" ? ours : theirs;
    for (const reader of [store, other]) expect((await reader.readTail())?.nonce).toBe(winner.nonce);
    await other.close();
  });

  test("entries that do not continue the journal are refused", async () => {
    const { store, journal } = current();
    await store.append(journal.next());
    journal.next();
    await expect(store.append(journal.next())).rejects.toMatchObject({ name: "StoreRefused" });
    const wrongChain = new TestJournal({ seq: 1, crc: 12_345 }).next();
    await expect(store.append(wrongChain)).rejects.toMatchObject({ name: "StoreRefused" });
    expect((await store.readTail())?.seq).toBe(1);
  });

  test("an entry that changes a task which is not there goes in neither whole nor in part", async () => {
    const { store, journal } = current();
    await store.append(journal.next());
    const broken = new TestJournal(await store.readTail()).next(...created("a"), changed("nobody", "running"));
    await expect(store.append(broken)).rejects.toThrow("nobody");
    expect((await store.readTail())?.seq).toBe(1);
    expect(await store.readTask(taskId("a"))).toBeNull();
    expect(await store.append(journal.next(...created("a")))).toBe("committed");
  });

  test("entries are read from any seq, ascending, at most so many", async () => {
    const { store, journal } = current();
    for (let index = 0; index < 5; index += 1) await store.append(journal.next());
    const seqs = async (from: number, max: number) => (await store.readEntries(from, max)).map((entry) => entry.seq);
    expect(await seqs(1, 10)).toEqual([1, 2, 3, 4, 5]);
    expect(await seqs(3, 2)).toEqual([3, 4]);
    expect(await seqs(6, 10)).toEqual([]);
    expect(await seqs(0, 1)).toEqual([1]);
  });

  test("reads while entries go in see every entry that was committed before, and hold up none", async () => {
    const { store, journal } = current();
    const count = 60;
    let committed = 0;
    // A store that answers at once would give nobody else a turn.
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const reading = Array.from({ length: 4 }, async () => {
      while (committed < count) {
        const before = committed;
        const { seq, found } = await store.findTasks([taskId(`t${before}`)]);
        expect(seq).toBeGreaterThanOrEqual(before);
        if (before > 0) expect([...found.keys()]).toEqual([`t${before}`]);
        await turn();
      }
    });
    for (let index = 1; index <= count; index += 1) {
      expect(await store.append(journal.next(...created(`t${index}`)))).toBe("committed");
      committed = index;
      await turn();
    }
    await Promise.all(reading);
    expect((await store.readTail())?.seq).toBe(count);
  });

  test("any text survives as it is", async () => {
    const { store, journal } = current();
    const name = 'ünï "quoted" \u2028 \\ 🦊 \ud800'.toWellFormed();
    await store.append(
      journal.next(...created("a", { name, input: { deep: [null, 1.5, -0.1e-7, { "": "\u0000" }] } })),
    );
    expect(await store.readTask(taskId("a"))).toMatchObject(
      spec("a", { name, input: { deep: [null, 1.5, -0.1e-7, { "": "\u0000" }] } }),
    );
  });

  test("what was committed is there after closing and opening", async () => {
    const { store, journal } = current();
    const entry = journal.next(...created("a"), queueWrite({ name: "q", isPaused: true }));
    await store.append(entry);
    const before = await loadAll(store);
    await store.close();
    await store.open();
    expect((await store.readTail())?.crc).toBe(entry.crc);
    expect(await loadAll(store)).toEqual(before);
    expect(await store.append(journal.next(...created("b")))).toBe("committed");
  });
}

function compactionContract(current: Current): void {
  test("removes old entries in bounded steps, never the last one, and leaves the view alone", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a")));
    for (let index = 0; index < 5; index += 1) await store.append(journal.next());
    expect(await store.compact(4, 2)).toBe(2);
    expect(await store.compact(4, 2)).toBe(1);
    expect(await store.compact(4, 2)).toBe(0);
    expect((await store.readEntries(1, 10)).map((entry) => entry.seq)).toEqual([4, 5, 6]);
    expect(await store.compact(1000, 1000)).toBe(2);
    expect((await store.readTail())?.seq).toBe(6);
    expect((await store.readTask(taskId("a")))?.state).toBe("created");
    expect(await store.append(journal.next())).toBe("committed");
  });

  test("a slot whose entry is gone is still taken: a leader that slept must not find it free", async () => {
    const { store, journal } = current();
    for (let index = 0; index < 3; index += 1) await store.append(journal.next());
    await store.compact(3, 10);
    const sleeper = new TestJournal(null, "nonce-b").next(...created("ghost"));
    expect(await store.append(sleeper)).toBe("taken");
    expect(await store.readTask(taskId("ghost"))).toBeNull();
    expect(await store.readEntries(1, 1)).toMatchObject([{ seq: 3, nonce: "nonce-a" }]);
  });
}

function leaseContract(current: Current): void {
  test("is kept as written, and not handed back to an older epoch", async () => {
    const { place, store, journal } = current();
    const lease = {
      epoch: 2,
      nonce: journal.nonce,
      beat: 1,
      address: "http://127.0.0.1:7070",
      isResigned: false,
      ttlMs: 2000,
    };
    expect(await store.writeLease(lease)).toBe("written");
    expect(await store.writeLease({ ...lease, beat: 2 })).toBe("written");
    expect(await store.writeLease({ ...lease, epoch: 1, beat: 9 })).toBe("superseded");
    const other = place.handle();
    await other.open();
    expect(await other.readLease()).toEqual({ ...lease, beat: 2 });
    expect(await other.writeLease({ ...lease, epoch: 3, isResigned: true })).toBe("written");
    expect(await store.readLease()).toEqual({ ...lease, epoch: 3, isResigned: true });
    await other.close();
  });
}
