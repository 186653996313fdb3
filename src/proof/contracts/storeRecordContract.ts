/** The part of the store contract about records of collections: kept by id, read in pages, removed with the task that they belong to. */
import { expect, test } from "vitest";
import {
  type CollectionName,
  ownedRecordId,
  type RecordValue,
  type StoredRecord,
} from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";
import { limits } from "../../model/limits.ts";
import type { RecordQuery, Store } from "../../ports/store.ts";
import {
  changed,
  created,
  queueWrite,
  TestJournal,
  taskId,
  workerGone,
  workerRecord,
  workerWrite,
} from "./storeJournal.ts";
import type { Current } from "./storePlace.ts";
import { loadAll } from "./storeViewContract.ts";

/** A store keeps records without knowing their collection, so these can be of one that no version has. */
const notes = "notes" as CollectionName;

function note(id: string, value: unknown): Write {
  return { kind: "record", collection: notes, id, value: value as RecordValue<typeof notes> } as Write;
}

function noteOf(task: string, key: string, value: unknown): Write {
  return note(ownedRecordId(task, key), value);
}

const forget = (id: string): Write => ({ kind: "forget-task", id: taskId(id), queue: "default", state: "success" });

async function idsOf(store: Store, query: Partial<RecordQuery>): Promise<string[]> {
  return (await store.listRecords(notes, { limit: 100, ...query })).records.map(({ id }) => id);
}

export function recordContract(current: Current): void {
  test("a record is put, replaced and removed, apart from one with the same id in another collection", async () => {
    const { store, journal } = current();
    const worker = workerRecord("w");
    await store.append(journal.next(workerWrite(worker), queueWrite({ name: "w", isPaused: false }), note("w", 1)));
    expect(await store.readRecord("workers", "w")).toEqual(worker);
    await store.append(journal.next(workerWrite({ ...worker, capacity: 9 }), note("w", { deep: [null] })));
    expect(await store.readRecord("workers", "w")).toEqual({ ...worker, capacity: 9 });
    expect(await store.readRecord(notes, "w")).toEqual({ deep: [null] });
    await store.append(journal.next(workerGone("w"), workerGone("never-there")));
    expect(await store.readRecord("workers", "w")).toBeNull();
    expect(await store.readRecord("queues", "w")).toEqual({ name: "w", isPaused: false });
    expect((await loadAll(store)).records).toEqual([
      { collection: "queues", id: "w", value: { name: "w", isPaused: false } },
    ]);
  });

  test("of one entry the last value of a record counts", async () => {
    const { store, journal } = current();
    await store.append(
      journal.next(note("a", 1), note("a", null), note("b", 1), note("b", 2), note("c", null), note("c", 3)),
    );
    const { records } = await store.listRecords(notes, { limit: 10 });
    expect(records.map(({ id, value }) => [id, value])).toEqual([
      ["b", 2],
      ["c", 3],
    ]);
  });

  test("records are listed by the bytes of their ids, in pages, within a prefix", async () => {
    const { store, journal } = current();
    const ids = ["b", "a", "a:2", "a:10", "aa", "Z", "\uffee", "\u{1f98a}", "é"];
    await store.append(journal.next(...ids.map((id) => note(id, id))));
    const inOrder = ["Z", "a", "a:10", "a:2", "aa", "b", "é", "\uffee", "\u{1f98a}"];
    expect(await idsOf(store, {})).toEqual(inOrder);
    expect(await idsOf(store, { idPrefix: "a:" })).toEqual(["a:10", "a:2"]);
    expect(await idsOf(store, { idPrefix: "a:", after: "a:10" })).toEqual(["a:2"]);
    expect(await idsOf(store, { idPrefix: "x" })).toEqual([]);
    const walked: StoredRecord[] = [];
    for (let isMore = true; isMore; ) {
      const after = walked.at(-1)?.id;
      const page = await store.listRecords(notes, { limit: 2, ...(after !== undefined && { after }) });
      expect(page.records.length).toBeLessThanOrEqual(2);
      walked.push(...page.records);
      isMore = page.isMore;
    }
    expect(walked.map(({ id }) => id)).toEqual(inOrder);
  });

  test("a page ends early where its values are large, but never before the first", async () => {
    const { store, journal } = current();
    const large = "x".repeat(limits.pageTextMax);
    await store.append(journal.next(note("a", large)));
    await store.append(journal.next(note("b", large), note("c", 1)));
    const page = await store.listRecords(notes, { limit: 10 });
    expect(page.records.map(({ id }) => id)).toEqual(["a"]);
    expect(page.isMore).toBe(true);
  });

  test("a record that belongs to a task is found by its id and listed under its task", async () => {
    const { store, journal } = current();
    await store.append(
      journal.next(...created("t"), noteOf("t", "s/2", 2), noteOf("t", "s/1", 1), noteOf("t", "r", 0)),
    );
    await store.append(journal.next(...created("t2"), noteOf("t2", "s/1", 3)));
    expect(await store.readRecord(notes, "t/s/1")).toBe(1);
    expect(await store.readRecord(notes, "t2/s/1")).toBe(3);
    expect(await store.readRecord(notes, "t/none")).toBeNull();
    expect(await idsOf(store, { idPrefix: "t/" })).toEqual(["t/r", "t/s/1", "t/s/2"]);
    expect(await idsOf(store, { idPrefix: "t/s/" })).toEqual(["t/s/1", "t/s/2"]);
    expect(await idsOf(store, { idPrefix: "t/", after: "t/s/1" })).toEqual(["t/s/2"]);
    expect(await store.listRecords(notes, { idPrefix: "t/", limit: 2 })).toMatchObject({ isMore: true });
    await store.append(journal.next(noteOf("t", "s/1", null)));
    expect(await store.readRecord(notes, "t/s/1")).toBeNull();
    expect((await loadAll(store)).records).toEqual([]);
  });

  test("a forgotten task takes its records along, also where its id is used again", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("t"), noteOf("t", "a", 1), noteOf("t", "b", 2), note("kept", 3)));
    await store.append(journal.next(changed("t", "success")));
    await store.append(journal.next(noteOf("t", "c", 3), forget("t"), noteOf("t", "a", null)));
    expect(await idsOf(store, { idPrefix: "t/" })).toEqual([]);
    await store.append(journal.next(...created("t"), noteOf("t", "b", "new")));
    expect(await store.readRecord(notes, "t/a")).toBeNull();
    expect(await store.readRecord(notes, "t/b")).toBe("new");
    await store.append(journal.next(noteOf("t", "lost", 1), forget("t"), ...created("t"), noteOf("t", "own", 1)));
    expect(await idsOf(store, { idPrefix: "t/" })).toEqual(["t/own"]);
    expect(await idsOf(store, {})).toContain("kept");
  });

  test("an entry with a record of a task that is not there goes in neither whole nor in part", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("t"), changed("t", "success")));
    const tail = await store.readTail();
    const broken = new TestJournal(tail).next(note("x", 1), noteOf("nobody", "a", 1));
    await expect(store.append(broken)).rejects.toThrow("nobody");
    const forgotten = new TestJournal(tail).next(forget("t"), noteOf("t", "a", 1));
    await expect(store.append(forgotten)).rejects.toThrow("changes the task t");
    expect(await store.readRecord(notes, "x")).toBeNull();
    expect(await store.readTask(taskId("t"))).not.toBeNull();
    expect(await store.append(journal.next(noteOf("t", "a", 1)))).toBe("committed");
  });

  test("records that were removed lately take no room in a page", async () => {
    const { store, journal } = current();
    const ids = Array.from({ length: 30 }, (_, index) => `n${String(index).padStart(2, "0")}`);
    await store.append(journal.next(...ids.map((id) => note(id, 1))));
    await store.append(journal.next(...ids.slice(0, 25).map((id) => note(id, null))));
    await store.append(journal.next());
    // Only what is in the view may be removed from the journal.
    await store.compact(3, 10);
    const page = await store.listRecords(notes, { limit: 3 });
    expect(page).toMatchObject({ records: ids.slice(25, 28).map((id) => ({ id })), isMore: true });
    const rest = await store.listRecords(notes, { limit: 3, after: "n27" });
    expect(rest).toMatchObject({ records: ids.slice(28).map((id) => ({ id })), isMore: false });
    await store.append(journal.next(note("n28", null), note("n29", null), note("n05", 2)));
    expect(await idsOf(store, {})).toEqual(["n05", "n25", "n26", "n27"]);
  });

  test("what the last marker lists is kept when its entry is compacted away", async () => {
    const { place, store, journal } = current();
    expect((await loadAll(store)).collections).toBeNull();
    await store.append(journal.next({ kind: "marker", address: "http://a:1", collections: { workers: 1 } }));
    await store.append(journal.next({ kind: "marker", address: "http://b:1", collections: { workers: 2, notes: 1 } }));
    await store.append(journal.next());
    await store.compact(1000, 1000);
    const other = place.handle();
    await other.open();
    for (const reader of [store, other]) expect((await loadAll(reader)).collections).toEqual({ workers: 2, notes: 1 });
    await other.close();
  });

  test("is migrated by whose marker is the last entry, as often as it asks, and by nobody else", async () => {
    const { store, journal } = current();
    const marker = journal.next({ kind: "marker", address: "http://a:1", collections: {} });
    await store.append(marker);
    expect(await store.migrate({ seq: 1, nonce: "nonce-b" as typeof marker.nonce })).toBe("taken");
    expect(await store.migrate(marker)).toBe("migrated");
    expect(await store.migrate(marker)).toBe("migrated");
    await store.append(journal.next(...created("a")));
    expect(await store.migrate(marker)).toBe("taken");
    expect(await store.readTask(taskId("a"))).not.toBeNull();
  });
}
