/** The part of the store contract about logs: each piece once, read from anywhere, gone with its task. */
import { expect, test } from "vitest";
import type { LogChunk } from "../../model/protocol.ts";
import { changed, created, taskId } from "./storeJournal.ts";
import type { Current } from "./storePlace.ts";

function piece(task: string, attempt: number, offset: number, text: string, change: Partial<LogChunk> = {}): LogChunk {
  return {
    task: taskId(task),
    attempt,
    offset,
    at: 1000 + offset,
    bytes: new TextEncoder().encode(text),
    isTruncated: false,
    ...change,
  };
}

const bytesMax = 1_000_000;

export function logContract(current: Current): void {
  test("pieces are read from an offset on, ascending, each attempt apart", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a"), ...created("b")));
    const pieces = [piece("a", 1, 0, "one"), piece("a", 1, 3, "two"), piece("a", 1, 6, "end", { isTruncated: true })];
    await store.appendLogs([...pieces.toReversed(), piece("a", 2, 0, "again"), piece("b", 1, 0, "other")]);
    expect(await store.readLogs(taskId("a"), 1, 0, bytesMax)).toEqual(pieces);
    expect(await store.readLogs(taskId("a"), 1, 3, bytesMax)).toEqual(pieces.slice(1));
    expect(await store.readLogs(taskId("a"), 1, 7, bytesMax)).toEqual([]);
    expect(await store.readLogs(taskId("a"), 2, 0, bytesMax)).toEqual([piece("a", 2, 0, "again")]);
    expect(await store.readLogs(taskId("a"), 3, 0, bytesMax)).toEqual([]);
    expect(await store.readLogs(taskId("x"), 1, 0, bytesMax)).toEqual([]);
  });

  test("a piece that is there already is left as it is", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a")));
    await store.appendLogs([piece("a", 1, 0, "first")]);
    await store.appendLogs([piece("a", 1, 0, "second"), piece("a", 1, 5, "next")]);
    expect(await store.readLogs(taskId("a"), 1, 0, bytesMax)).toEqual([
      piece("a", 1, 0, "first"),
      piece("a", 1, 5, "next"),
    ]);
  });

  test("any bytes survive, none at all too", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a")));
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    await store.appendLogs([piece("a", 1, 0, "", { bytes }), piece("a", 1, 256, "", { isTruncated: true })]);
    const [first, second] = await store.readLogs(taskId("a"), 1, 0, bytesMax);
    expect(first && [...first.bytes]).toEqual([...bytes]);
    expect(second).toMatchObject({ offset: 256, isTruncated: true, bytes: new Uint8Array() });
  });

  test("a page ends at its bound, but always holds one piece", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a")));
    await store.appendLogs([0, 10, 20, 30].map((offset) => piece("a", 1, offset, "0123456789")));
    const offsets = async (from: number, max: number) =>
      (await store.readLogs(taskId("a"), 1, from, max)).map((one) => one.offset);
    expect(await offsets(0, 20)).toEqual([0, 10]);
    expect(await offsets(10, 29)).toEqual([10, 20]);
    expect(await offsets(0, 1)).toEqual([0]);
  });

  test("output of a forgotten task does not get into the log of its successor", async () => {
    const { store, journal } = current();
    const at = 1_700_000_000_000;
    await store.append(journal.next(...created("a"), changed("a", "running", { assignedAt: at + 10 })));
    await store.append(journal.next({ kind: "forget-task", id: taskId("a"), queue: "default", state: "success" }));
    await store.append(journal.next(...created("a", { createdAt: at + 20 })));
    const late = piece("a", 1, 0, "late", { assignedAt: at + 10 });
    await store.appendLogs([late]);
    await store.append(journal.next(changed("a", "running", { assignedAt: at + 30 })));
    await store.appendLogs([late]);
    expect(await store.readLogs(taskId("a"), 1, 0, bytesMax)).toEqual([]);
    await store.appendLogs([piece("a", 1, 0, "new", { assignedAt: at + 30 })]);
    await store.append(journal.next(changed("a", "running", { attempt: 2, assignedAt: at + 40 })));
    await store.appendLogs([
      piece("a", 1, 3, "late", { assignedAt: at + 10 }),
      piece("a", 1, 3, " and more", { assignedAt: at + 30 }),
    ]);
    expect(await store.readLogs(taskId("a"), 1, 0, bytesMax)).toEqual([
      piece("a", 1, 0, "new"),
      piece("a", 1, 3, " and more"),
    ]);
  });

  test("logs go with their task, and a new task of the same id begins without them", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a")));
    await store.appendLogs([piece("a", 1, 0, "old")]);
    await store.append(journal.next({ kind: "forget-task", id: taskId("a"), queue: "default", state: "success" }));
    expect(await store.readLogs(taskId("a"), 1, 0, bytesMax)).toEqual([]);
    await store.appendLogs([piece("a", 1, 3, "late")]);
    await store.append(journal.next(...created("a")));
    expect(await store.readLogs(taskId("a"), 1, 0, bytesMax)).toEqual([]);
    await store.appendLogs([piece("a", 1, 0, "new")]);
    expect(await store.readLogs(taskId("a"), 1, 0, bytesMax)).toEqual([piece("a", 1, 0, "new")]);
  });
}
