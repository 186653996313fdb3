/** The part of the store contract about the view: task documents, what a leader loads, what is forgotten. */
import { expect, test } from "vitest";
import { hotCollections } from "../../model/collections/table.ts";
import type { TaskState } from "../../model/task.ts";
import type { LiveTask, Store } from "../../ports/store.ts";
import { changed, created, queueWrite, spec, status, taskId, workerRecord, workerWrite } from "./storeJournal.ts";
import type { Current } from "./storePlace.ts";

export function documentContract(current: Current): void {
  test("a task is spec and status in one document, and each status takes the place of the one before", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a")));
    expect(await store.readTask(taskId("a"))).toEqual({ ...spec("a"), ...status("a", "created") });
    const running = status("a", "running", { attempt: 1, host: workerRecord("w").id });
    await store.append(journal.next({ kind: "status", status: running }));
    expect(await store.readTask(taskId("a"))).toEqual({ ...spec("a"), ...running });
    const success = status("a", "success", { attempt: 1, output: { answer: 42 } });
    await store.append(journal.next({ kind: "status", status: success }));
    const document = await store.readTask(taskId("a"));
    expect(document).toEqual({ ...spec("a"), ...success });
    expect(document).not.toHaveProperty("host");
  });

  test("a task may be created, started and ended in one entry", async () => {
    const { store, journal } = current();
    await store.append(
      journal.next(...created("a"), changed("a", "running"), ...created("b"), changed("a", "success")),
    );
    expect((await store.readTask(taskId("a")))?.state).toBe("success");
    const view = await loadAll(store);
    expect(view.tasks.map((task) => task.head.id)).toEqual(["b"]);
    expect(view.finished).toEqual([{ queue: "default", state: "success", count: 1 }]);
  });

  test("statuses are read by id with their outputs, the unknown ones left out", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a"), ...created("b")));
    await store.append(journal.next(changed("a", "success", { output: { rows: 7 } })));
    const statuses = await store.readStatuses(["a", "b", "x"].map(taskId));
    expect([...statuses.keys()].sort()).toEqual(["a", "b"]);
    expect(statuses.get(taskId("a"))).toMatchObject({ id: "a", state: "success", output: { rows: 7 } });
    expect(statuses.get(taskId("b"))).toMatchObject({ id: "b", state: "created" });
  });

  test("payloads and origins are found by id, the unknown ones left out", async () => {
    const { store, journal } = current();
    await store.append(
      journal.next(
        ...created("a", { name: "A", input: { seconds: 5 }, traceparent: "trace" }),
        ...created("b", { fingerprint: "f" }),
      ),
    );
    const ids = ["a", "b", "x"].map(taskId);
    expect(await store.readPayloads(ids)).toEqual(
      new Map([
        ["a", { name: "A", kind: "sleep", input: { seconds: 5 }, traceparent: "trace" }],
        ["b", { name: "b", kind: "sleep", input: { seconds: 1 } }],
      ]),
    );
    expect(await store.findTasks(ids)).toEqual({
      seq: 1,
      found: new Map([
        ["a", null],
        ["b", "f"],
      ]),
    });
  });
}

export function loadContract(current: Current): void {
  test("two handles that write by turns overlook nothing of each other's", async () => {
    const { place, store, journal } = current();
    const other = place.handle();
    await other.open();
    await store.append(journal.next(...created("a"), ...created("b"), ...created("c")));
    await other.append(
      journal.next(
        changed("a", "running"),
        { kind: "forget-task", id: taskId("b"), queue: "default", state: "success" },
        changed("c", "success"),
      ),
    );
    await other.append(
      journal.next(
        { kind: "forget-task", id: taskId("c"), queue: "default", state: "success" },
        ...created("c"),
        ...created("b"),
      ),
    );
    await store.append(journal.next(changed("a", "success"), changed("b", "running"), changed("c", "failed")));
    for (const reader of [store, other]) {
      const view = await loadAll(reader);
      expect(view.tasks.map(({ head, status: { state } }) => [head.id, state])).toEqual([["b", "running"]]);
      const counts = new Map(view.finished.map(({ state, count }) => [state, count]));
      expect(counts).toEqual(
        new Map([
          ["success", 1],
          ["failed", 1],
        ]),
      );
    }
    await other.close();
  });

  test("the view is what a leader starts from: unfinished tasks, workers, queues, counts of the rest", async () => {
    const { store, journal } = current();
    const worker = workerRecord("w");
    const child = {
      priority: 7,
      fingerprint: "f",
      startAt: 5,
      requires: ["gpu"],
      parent: taskId("p"),
      depth: 1,
    };
    await store.append(
      journal.next(
        ...created("a", child),
        ...created("b", { queue: "q" }),
        ...created("c"),
        workerWrite(worker),
        workerWrite(workerRecord("gone")),
        queueWrite({ name: "q", isPaused: false }),
      ),
    );
    await store.append(
      journal.next(
        changed("b", "failed"),
        changed("c", "running", { host: worker.id }),
        { kind: "record", collection: "workers", id: workerRecord("gone").id, value: null },
        queueWrite({ name: "q", isPaused: true }),
        { kind: "marker", address: "http://127.0.0.1:7070", collections: {} },
      ),
    );
    const view = await loadAll(store);
    const { name: _name, input: _input, ...head } = spec("a", child);
    expect(view.seq).toBe(2);
    expect(view.tasks.find((task) => task.head.id === "a")).toEqual({ head, status: status("a", "created"), seq: 1 });
    expect(view.tasks.map((task) => `${task.head.id} ${task.status.state} ${task.seq}`).toSorted()).toEqual([
      "a created 1",
      "c running 2",
    ]);
    expect(view.records).toEqual([
      { collection: "queues", id: "q", value: { name: "q", isPaused: true } },
      { collection: "workers", id: "w", value: worker },
    ]);
    expect(view.finished).toEqual([{ queue: "q", state: "failed", count: 1 }]);
  });

  test("a view shows one instant, whatever is committed while it is read", async () => {
    const { store, journal } = current();
    const count = 2500;
    const ids = Array.from({ length: count }, (_, index) => `t${index}`);
    await store.append(journal.next(...ids.flatMap((id) => created(id))));
    const view = await store.loadView(hotCollections);
    const seen: LiveTask[] = [];
    for await (const batch of view.tasks) {
      expect(batch.length).toBeLessThan(count);
      if (seen.length === 0) {
        await store.append(journal.next(...ids.map((id) => changed(id, "running")), ...created("late")));
        await store.append(journal.next(...ids.map((id) => changed(id, "success"))));
      }
      seen.push(...batch);
    }
    expect(view.seq).toBe(1);
    expect(seen.map((task) => task.head.id).toSorted()).toEqual(ids.toSorted());
    expect(seen.every((task) => task.status.state === "created" && task.seq === 1)).toBe(true);
    expect((await loadAll(store)).finished).toEqual([{ queue: "default", state: "success", count }]);
  });
}

export function forgetContract(current: Current): void {
  test("a forgotten task is gone everywhere, and its id is free again", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a"), ...created("b")));
    await store.append(journal.next(changed("a", "success")));
    await store.append(
      journal.next(
        { kind: "forget-task", id: taskId("a"), queue: "default", state: "success" },
        { kind: "forget-task", id: taskId("unknown"), queue: "default", state: "success" },
      ),
    );
    expect(await store.readTask(taskId("a"))).toBeNull();
    expect((await store.findTasks([taskId("a")])).found.size).toBe(0);
    expect(await loadAll(store)).toMatchObject({ seq: 3, finished: [] });
    await store.append(journal.next(...created("a", { name: "again" })));
    expect((await store.readTask(taskId("a")))?.name).toBe("again");
    const page = await store.listTasks({ order: "newest", cursor: null, limit: 10 });
    expect(page.tasks.map((task) => task.id)).toEqual(["a", "b"]);
  });

  test("forgetting and creating in one entry keep their order", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a")));
    await store.append(
      journal.next(
        { kind: "forget-task", id: taskId("a"), queue: "default", state: "success" },
        ...created("a", { name: "again" }),
      ),
    );
    expect((await store.readTask(taskId("a")))?.name).toBe("again");
    await store.append(
      journal.next(changed("a", "success"), {
        kind: "forget-task",
        id: taskId("a"),
        queue: "default",
        state: "success",
      }),
    );
    expect(await store.readTask(taskId("a"))).toBeNull();
    await store.append(
      journal.next(...created("b"), { kind: "forget-task", id: taskId("b"), queue: "default", state: "success" }),
    );
    expect(await store.readTask(taskId("b"))).toBeNull();
    expect(await loadAll(store)).toMatchObject({ tasks: [], finished: [] });
  });
}

export function reopenContract(current: Current): void {
  test("a finished task that is open again is loaded, listed and counted as unfinished, and not expired", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a"), ...created("b"), changed("b", "failed", { changedAt: 10 })));
    await store.append(journal.next(changed("a", "failed", { changedAt: 10, host: workerRecord("w").id })));
    const { name: _name, input: _input, ...head } = spec("a");
    const open = status("a", "created", { attempt: 1, uncounted: 1, retriedAt: 20, isRecorded: true });
    await store.append(
      journal.next({ kind: "reopen-task", head, state: "failed", at: 20 }, { kind: "status", status: open }),
    );
    expect(await store.readTask(taskId("a"))).toEqual({ ...spec("a"), ...open });
    const view = await loadAll(store);
    expect(view.tasks).toEqual([{ head, status: open, seq: 3 }]);
    expect(view.finished).toEqual([{ queue: "default", state: "failed", count: 1 }]);
    const listed = async (state: TaskState) =>
      (await store.listTasks({ states: [state], order: "oldest", cursor: null, limit: 10 })).tasks.map(({ id }) => id);
    expect([await listed("failed"), await listed("created")]).toEqual([["b"], ["a"]]);
    expect(await store.findExpired({ endedBefore: 100, keepMax: 0 }, 10)).toEqual([
      { id: "b", queue: "default", state: "failed" },
    ]);
    await store.append(journal.next(changed("a", "success", { attempt: 2, changedAt: 50 })));
    expect((await store.findExpired({ endedBefore: 100, keepMax: 10 }, 10)).map(({ id }) => id)).toEqual(["b", "a"]);
  });
}

/** A whole view, its batches joined. */
export async function loadAll(store: Store) {
  const { tasks, records, ...rest } = await store.loadView(hotCollections);
  const allRecords = (await Array.fromAsync(records)).flat();
  return { ...rest, records: allRecords, tasks: (await Array.fromAsync(tasks)).flat() };
}
