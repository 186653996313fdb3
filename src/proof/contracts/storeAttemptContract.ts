/** The part of the store contract about attempts over all tasks: by time, by worker, in pages, and forgotten with their task. */
import { expect, test } from "vitest";
import { type AttemptRecord, attemptRecordId, type EndedAttempt } from "../../model/attemptRecord.ts";
import type { Write } from "../../model/entry.ts";
import { OutlastError } from "../../model/errors.ts";
import type { BootId, WorkerId } from "../../model/ids.ts";
import type { TaskStatus } from "../../model/task.ts";
import type { AttemptQuery, Store } from "../../ports/store.ts";
import { changed, created, taskId } from "./storeJournal.ts";
import type { Current } from "./storePlace.ts";

const [w0, w1] = ["w0" as WorkerId, "w1" as WorkerId];
const boot = "b" as BootId;

/** The last attempt of a task, as its status tells of it. */
function ran(attempt: number, from: number, to: number, host = w0): Partial<TaskStatus> {
  return { attempt, host, boot, assignedAt: from, startedAt: from, endedAt: to };
}

function recorded(task: string, attempt: number, from: number, to: number, worker = w0): Write {
  const value: AttemptRecord = { attempt, worker, boot, assignedAt: from, endedAt: to, outcome: "failed" };
  return { kind: "record", collection: "attempts", id: attemptRecordId(taskId(task), attempt), value };
}

async function list(store: Store, query: Partial<AttemptQuery> = {}): Promise<string[]> {
  const found: EndedAttempt[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.listAttempts({ from: 0, to: 10_000, limit: 100, ...query, cursor });
    found.push(...page.attempts);
    ({ cursor } = page);
  } while (cursor !== null);
  return found.map(({ task, attempt }) => `${task} ${attempt}`);
}

export function attemptContract(current: Current): void {
  test("the last attempt of a task is found by its status, the others by their records", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a", { name: "first" }), ...created("b"), ...created("c")));
    await store.append(journal.next(recorded("a", 1, 100, 200), changed("a", "success", ran(2, 300, 400))));
    await store.append(journal.next(changed("b", "running", ran(1, 50, 60)), changed("c", "created", { attempt: 0 })));
    expect(await list(store)).toEqual(["a 1", "a 2"]);
    const { attempts } = await store.listAttempts({ from: 0, to: 1000, cursor: null, limit: 10 });
    expect(attempts).toEqual([
      { task: "a", name: "first", attempt: 1, worker: w0, boot, assignedAt: 100, endedAt: 200, outcome: "failed" },
      expect.objectContaining({ task: "a", name: "first", attempt: 2, outcome: "success", endedAt: 400 }),
    ]);
  });

  test("an attempt that has a record of its own is found once", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a"), changed("a", "retrying", ran(1, 100, 200))));
    expect(await list(store)).toEqual(["a 1"]);
    const cancelled = { ...ran(1, 100, 300), isRecorded: true } as const;
    await store.append(journal.next(recorded("a", 1, 100, 200), changed("a", "cancelled", cancelled)));
    expect(await list(store)).toEqual(["a 1"]);
    await store.append(journal.next(changed("a", "running", { ...ran(2, 500, 0), attempt: 2 })));
    expect(await list(store)).toEqual(["a 1"]);
  });

  test("those count that ran at some time between two instants", async () => {
    const { store, journal } = current();
    for (let i = 0; i < 10; i += 1) {
      const ended = changed(`t${i}`, "success", ran(1, i * 100, i * 100 + 150));
      await store.append(journal.next(...created(`t${i}`), ended));
    }
    expect(await list(store, { from: 350, to: 500 })).toEqual(["t2 1", "t3 1", "t4 1"]);
    expect(await list(store, { from: 351, to: 401 })).toEqual(["t3 1", "t4 1"]);
    expect(await list(store, { from: 5000 })).toEqual([]);
    expect(await list(store, { to: 0 })).toEqual([]);
  });

  test.each([1, 3, 100])("pages of %i show each attempt once, those that ended first first", async (limit) => {
    const { store, journal } = current();
    const wanted: { readonly name: string; readonly at: number }[] = [];
    for (let i = 0; i < 12; i += 1) {
      const [task, worker] = [`t${i}`, i % 3 === 0 ? w1 : w0];
      // Many of one millisecond, in no order.
      const at = 1000 + ((i * 7) % 5);
      const records = [1, 2].map((attempt) => recorded(task, attempt, 10, at, worker));
      await store.append(
        journal.next(...created(task), ...records, changed(task, "failed", ran(3, 20, at + 1, worker))),
      );
      if (worker === w0)
        wanted.push({ name: `${task} 1`, at }, { name: `${task} 2`, at }, { name: `${task} 3`, at: at + 1 });
    }
    const inOrder = wanted.toSorted((one, other) => one.at - other.at).map(({ name }) => name);
    expect(await list(store, { limit, worker: "w0" })).toEqual(inOrder);
    expect((await list(store, { limit })).length).toBe(36);
  });

  test("a forgotten task takes its attempts along, also where its id is used again", async () => {
    const { store, journal } = current();
    const life = (at: number) => [recorded("a", 1, at, at + 1), changed("a", "success", ran(2, at + 2, at + 3))];
    await store.append(journal.next(...created("a"), ...life(100)));
    const forget: Write = { kind: "forget-task", id: taskId("a"), queue: "default", state: "success" };
    await store.append(journal.next(forget));
    expect(await list(store)).toEqual([]);
    await store.append(journal.next(...created("a"), ...life(500)));
    const { attempts } = await store.listAttempts({ from: 0, to: 1000, cursor: null, limit: 10 });
    expect(attempts.map(({ endedAt }) => endedAt)).toEqual([501, 503]);
  });

  test.each(["", "x", "1", "1.2", "1.2.3.4", "01.0.0", "-1.0.0"])("the cursor %j is a bad request", async (cursor) => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a")));
    const answer = store.listAttempts({ from: 0, to: 1, cursor, limit: 1 });
    await expect(answer).rejects.toBeInstanceOf(OutlastError);
    await expect(answer).rejects.toMatchObject({ code: "bad-request" });
  });
}
