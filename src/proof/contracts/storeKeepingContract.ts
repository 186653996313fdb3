/** The part of the store contract about what is kept for how long, and about the notes that masters leave of themselves. */
import { expect, test } from "vitest";
import { childId, childPrefix, submittedId } from "../../model/family.ts";
import type { Nonce } from "../../model/ids.ts";
import type { MemberRecord } from "../../model/member.ts";
import { changed, created, taskId } from "./storeJournal.ts";
import type { Current } from "./storePlace.ts";

function member(nonce: string, beat: number): MemberRecord {
  const address = `http://${nonce}:1`;
  return { nonce: nonce as Nonce, name: nonce, address, role: "standby", epoch: 1, seq: 7, beat, roleSince: 5 };
}

const never = { endedBefore: 0, keepMax: 1_000 };

export function keepingContract(current: Current): void {
  test("tasks that ended before an instant are found, the first ended first, and no unfinished one", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...["a", "b", "c", "d"].flatMap((id) => created(id))));
    await store.append(
      journal.next(changed("c", "success", { changedAt: 10 }), changed("a", "failed", { changedAt: 20 })),
    );
    await store.append(
      journal.next(changed("d", "cancelled", { changedAt: 30 }), changed("b", "running", { changedAt: 1 })),
    );
    expect(await store.findExpired(never, 10)).toEqual([]);
    const expired = await store.findExpired({ ...never, endedBefore: 30 }, 10);
    expect(expired).toEqual([
      { id: "c", queue: "default", state: "success" },
      { id: "a", queue: "default", state: "failed" },
    ]);
    expect(await store.findExpired({ ...never, endedBefore: 30 }, 1)).toEqual(expired.slice(0, 1));
  });

  test("of more finished tasks than are kept, the first created are found", async () => {
    const { store, journal } = current();
    const ids = ["a", "b", "c", "d", "e"];
    await store.append(journal.next(...ids.flatMap((id) => created(id))));
    await store.append(journal.next(...ids.map((id, index) => changed(id, index === 0 ? "running" : "success"))));
    const surplus = await store.findExpired({ endedBefore: 0, keepMax: 2 }, 10);
    expect(surplus.map(({ id }) => id)).toEqual(["b", "c"]);
  });

  test("families go whole: the children first, however long they have ended, and the root last", async () => {
    const { store, journal } = current();
    const children = [0, 1, 2].map((index) => childId(childPrefix(taskId("r"), 0, "k"), index));
    const [first = "", second = "", third = ""] = children;
    const grandchild = childId(childPrefix(taskId(first), 0, "k"), 0);
    const independent = submittedId("r", { task: taskId("r"), assignedAt: 5 }, "s");
    const ids = ["r", "r2", ...children, grandchild, independent];
    await store.append(journal.next(...ids.flatMap((id) => created(id))));
    const ended = (id: string, changedAt: number, change = {}) => changed(id, "success", { changedAt, ...change });
    await store.append(journal.next(...[...children, grandchild, independent].map((id) => ended(id, 1))));
    const due = async (max: number) =>
      (await store.findExpired({ ...never, endedBefore: 100 }, max)).map(({ id }) => id);
    // Nothing of a family goes while its root has not ended; what a handler submitted is a task of its own.
    expect(await due(10)).toEqual([independent]);
    const family = { steps: 0, stepBytes: 0, epoch: 0, children: 3 };
    await store.append(journal.next(ended("r", 50, { family }), ended("r2", 60)));
    expect(new Set(await due(10))).toEqual(new Set([independent, grandchild, first, second, third, "r2"]));
    expect(await due(2)).toHaveLength(2);
    const forget = (id: string) =>
      ({ kind: "forget-task", id: taskId(id), queue: "default", state: "success" }) as const;
    await store.append(journal.next(...[first, second, third, independent].map(forget)));
    expect(await due(10)).toEqual([grandchild, "r2"]);
    await store.append(journal.next(forget(grandchild)));
    expect(await due(10)).toEqual(["r", "r2"]);
  });

  test("a family that is larger than one look goes bit by bit, and its root last", async () => {
    const { store, journal } = current();
    const children = [0, 1, 2, 3, 4].map((index) => childId(childPrefix(taskId("r"), 0, "k"), index));
    await store.append(journal.next(...["r", ...children].flatMap((id) => created(id))));
    const family = { steps: 0, stepBytes: 0, epoch: 0, children: children.length };
    await store.append(
      journal.next(...children.map((id) => changed(id, "success")), changed("r", "success", { changedAt: 5, family })),
    );
    const gone: string[] = [];
    for (let looks = 0; looks < 4; looks += 1) {
      const due = await store.findExpired({ ...never, endedBefore: 100 }, 2);
      gone.push(...due.map(({ id }) => id));
      await store.append(
        journal.next(...due.map(({ id, queue, state }) => ({ kind: "forget-task", id, queue, state }) as const)),
      );
    }
    expect(gone).toHaveLength(6);
    expect(new Set(gone.slice(0, 5))).toEqual(new Set(children));
    expect(gone[5]).toBe("r");
  });

  test("tasks that were opened again after their end hold up none that are due", async () => {
    const { store, journal } = current();
    const ids = ["a", "b", "c"];
    await store.append(journal.next(...ids.flatMap((id) => created(id))));
    await store.append(journal.next(...ids.map((id, index) => changed(id, "failed", { changedAt: index + 1 }))));
    await store.append(journal.next());
    // Only what is in the view may be removed from the journal.
    await store.compact(3, 10);
    await store.append(journal.next(...["a", "b"].map((id) => changed(id, "running", { attempt: 2 }))));
    await store.append(journal.next());
    await store.compact(5, 10);
    const due = await store.findExpired({ ...never, endedBefore: 100 }, 1);
    expect(due.map(({ id }) => id)).toEqual(["c"]);
    await store.append(journal.next(changed("a", "success", { attempt: 2, changedAt: 7 })));
    const later = await store.findExpired({ ...never, endedBefore: 100 }, 5);
    expect(later.map(({ id }) => id)).toEqual(["c", "a"]);
  });

  test("a root that has made no children since a retry from scratch goes after those from before", async () => {
    const { store, journal } = current();
    const child = childId(childPrefix(taskId("r"), 0, "k"), 0);
    await store.append(journal.next(...["r", child].flatMap((id) => created(id))));
    const family = { steps: 0, stepBytes: 0, epoch: 1, children: 0 };
    const ended = [changed(child, "cancelled", { changedAt: 1 }), changed("r", "failed", { changedAt: 2, family })];
    await store.append(journal.next(...ended));
    const due = await store.findExpired({ ...never, endedBefore: 100 }, 5);
    expect(due.map(({ id }) => id)).toEqual([child]);
  });

  test("pinned families stay, and what would follow them is found all the same", async () => {
    const { store, journal } = current();
    const child = childId(childPrefix(taskId("a"), 0, "k"), 0);
    const ids = ["a", child, "b", "c"];
    await store.append(journal.next(...ids.flatMap((id) => created(id))));
    const family = { steps: 0, stepBytes: 0, epoch: 0, children: 1 };
    const ended = ids.map((id, index) => changed(id, "success", { changedAt: index, ...(id === "a" && { family }) }));
    await store.append(journal.next(...ended));
    const found = async (pinned: string[], max: number) => {
      const retention = { ...never, endedBefore: 100, pinned: pinned.map(taskId) };
      return (await store.findExpired(retention, max)).map(({ id }) => id);
    };
    expect(await found(["a"], 1)).toEqual(["b"]);
    expect(await found(["a", "b"], 5)).toEqual(["c"]);
    expect(await found([], 5)).toEqual([child, "b", "c"]);
  });

  test("the notes of masters are replaced, listed and taken away", async () => {
    const { store } = current();
    await store.writeMember(member("n1", 1));
    await store.writeMember(member("n2", 1));
    await store.writeMember(member("n1", 2));
    expect((await store.readMembers()).toSorted((a, b) => (a.nonce < b.nonce ? -1 : 1))).toEqual([
      member("n1", 2),
      member("n2", 1),
    ]);
    await store.removeMember("n1" as Nonce);
    await store.removeMember("unknown" as Nonce);
    expect(await store.readMembers()).toEqual([member("n2", 1)]);
  });
}
