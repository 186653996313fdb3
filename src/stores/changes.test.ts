/** The fold of an entry says the same as its writes one after the other. */
import { describe, expect, test } from "vitest";
import {
  changed,
  created,
  TestJournal,
  taskId,
  workerGone,
  workerRecord,
  workerWrite,
} from "../proof/contracts/storeJournal.ts";
import { changesOf } from "./changes.ts";

describe("changesOf", () => {
  test("keeps the last record of each, in the order of first mention", () => {
    const changes = changesOf(
      new TestJournal().next(...created("b"), ...created("a"), changed("b", "running"), changed("b", "success")),
    );
    expect([...changes.tasks.keys()]).toEqual(["b", "a"]);
    const change = changes.tasks.get(taskId("b"));
    expect(change?.status?.state).toBe("success");
    expect(JSON.parse(change?.statusText ?? "")).toEqual(change?.status);
    expect(JSON.parse(change?.specText ?? "")).toEqual(change?.spec);
  });

  test("drops what came before a task was forgotten, and keeps what came after", () => {
    const changes = changesOf(
      new TestJournal().next(
        changed("a", "success"),
        { kind: "forget-task", id: taskId("a"), queue: "default", state: "success" },
        ...created("a", { name: "new" }),
      ),
    );
    expect([...changes.forgottenTasks]).toEqual(["a"]);
    expect(changes.tasks.get(taskId("a"))).toMatchObject({ spec: { name: "new" }, status: { state: "created" } });
  });

  test("keeps the last value of a record that is removed and put again", () => {
    const worker = workerRecord("w");
    const gone = changesOf(new TestJournal().next(workerWrite(worker), workerGone("w")));
    expect(gone.records).toMatchObject([{ collection: "workers", id: "w", text: null }]);
    const back = changesOf(new TestJournal().next(workerGone("w"), workerWrite(worker)));
    expect(back.records).toMatchObject([{ collection: "workers", id: "w", text: JSON.stringify(worker) }]);
  });

  test("refuses an entry whose texts do not belong to its writes", () => {
    const entry = new TestJournal().next(...created("a"));
    expect(() => changesOf({ ...entry, texts: [] })).toThrow("2 writes but 0 texts");
  });
});
