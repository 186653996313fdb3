/** The part of the store contract about lists: filters, order, pages. */
import { expect, test } from "vitest";
import { OutlastError } from "../../model/errors.ts";
import type { WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { TaskState } from "../../model/task.ts";
import type { Store, TaskQuery } from "../../ports/store.ts";
import { changed, created, type TestJournal, taskId } from "./storeJournal.ts";
import type { Current } from "./storePlace.ts";

const states: readonly TaskState[] = ["created", "running", "success", "failed"];
const queues = ["default", "q1", "q2"];
const hosts = ["w0", "w1"];
const count = 120;

/** `t<i>` in state `i % 4`, queue `i % 3`, on host `i % 2` unless still created; named `name-<i % 5>`. */
async function fill(store: Store, journal: TestJournal): Promise<void> {
  for (let start = 0; start < count; start += 40) {
    const numbers = Array.from({ length: 40 }, (_, index) => start + index);
    await store.append(
      journal.next(...numbers.flatMap((i) => created(`t${i}`, { queue: queues[i % 3] ?? "", name: `name-${i % 5}` }))),
    );
    await store.append(
      journal.next(...numbers.filter((i) => i % 4 !== 0).map((i) => changed(`t${i}`, stateOf(i), { host: hostOf(i) }))),
    );
  }
}

function stateOf(i: number): TaskState {
  return states[i % 4] ?? "created";
}

function hostOf(i: number): WorkerId {
  return (hosts[i % 2] ?? "") as WorkerId;
}

/** About as large as a task can be. */
const large = "x".repeat(900_000);

async function readPages(store: Store, query: Omit<TaskQuery, "cursor">): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | null = null;
  do {
    const page = await store.listTasks({ ...query, cursor });
    pages.push(page.tasks.map((task) => task.id));
    ({ cursor } = page);
  } while (cursor !== null && pages.length < 1000);
  return pages;
}

const filters: readonly [string, Partial<TaskQuery>, (i: number) => boolean][] = [
  ["everything", {}, () => true],
  ["one state", { states: ["success"] }, (i) => i % 4 === 2],
  ["several states", { states: ["failed", "created"] }, (i) => i % 4 === 3 || i % 4 === 0],
  ["the same state twice", { states: ["failed", "failed"] }, (i) => i % 4 === 3],
  ["no state at all", { states: [] }, () => false],
  ["a state that nothing is in", { states: ["waiting"] }, () => false],
  ["a queue", { queue: "q1" }, (i) => i % 3 === 1],
  [
    "a queue and states",
    { queue: "q2", states: ["running", "success"] },
    (i) => i % 3 === 2 && (i % 4 === 1 || i % 4 === 2),
  ],
  ["two queues", { queues: ["default", "q2"] }, (i) => i % 3 !== 1],
  ["a pattern of queues", { queues: ["q*"] }, (i) => i % 3 !== 0],
  ["a pattern of other queues", { queues: ["r*", "q", "defaul"] }, () => false],
  ["queues and a name", { queues: ["q1"], name: "name-1" }, (i) => i % 3 === 1 && i % 5 === 1],
  ["a queue outside of the queues", { queues: ["q2"], queue: "q1" }, () => false],
  ["a queue that is not there", { queue: "nowhere" }, () => false],
  ["a name", { name: "name-3" }, (i) => i % 5 === 3],
  ["a host", { host: "w1" }, (i) => i % 4 !== 0 && i % 2 === 1],
  [
    "all of it",
    { states: ["running"], queue: "q1", name: "name-1", host: "w1" },
    (i) => i % 4 === 1 && i % 3 === 1 && i % 5 === 1,
  ],
];

export function listContract(current: Current): void {
  test.each(filters)("by %s, both ways, in pages of any size", async (_what, filter, isWanted) => {
    const { store, journal } = current();
    await fill(store, journal);
    const oldest = Array.from({ length: count }, (_, i) => i)
      .filter(isWanted)
      .map((i) => `t${i}`);
    for (const limit of [1, 7, 1000]) {
      for (const order of ["oldest", "newest"] as const) {
        const pages = await readPages(store, { ...filter, order, limit });
        expect(pages.flat()).toEqual(order === "oldest" ? oldest : oldest.toReversed());
        // Pages are full, and the last one says that it is the last.
        expect(pages.length).toBe(Math.max(1, Math.ceil(oldest.length / limit)));
      }
    }
  });

  test("in pages that end early where tasks are large", async () => {
    const { store, journal } = current();
    const numbers = Array.from({ length: 12 }, (_, i) => i);
    for (const i of numbers) await store.append(journal.next(...created(`t${i}`, { input: { large } })));
    for (const order of ["oldest", "newest"] as const) {
      const pages = await readPages(store, { order, limit: 1000 });
      expect(pages.flat()).toEqual((order === "oldest" ? numbers : numbers.toReversed()).map((i) => `t${i}`));
      expect(Math.max(...pages.map((page) => page.length))).toBe(Math.floor(limits.pageTextMax / large.length));
    }
  });

  test("by state over very many queues, some long and some short", async () => {
    const { store, journal } = current();
    const queueOf = (i: number) => (i % 3 === 0 ? "long" : `q${i % 300}`);
    const numbers = Array.from({ length: 900 }, (_, i) => i);
    await store.append(journal.next(...numbers.flatMap((i) => created(`t${i}`, { queue: queueOf(i) }, stateOf(i)))));
    const wanted = numbers.filter((i) => i % 4 === 2).map((i) => `t${i}`);
    const oldest = await readPages(store, { states: ["success"], order: "oldest", limit: 100 });
    expect(oldest.flat()).toEqual(wanted);
    const newest = await readPages(store, { states: ["success"], order: "newest", limit: 10 });
    expect(newest.flat()).toEqual(wanted.toReversed());
  });

  test.each([1, 4, 1000])("by parent, and without one, in pages of %i", async (limit) => {
    const { store, journal } = current();
    const parents = ["p", "q"].map(taskId);
    await store.append(journal.next(...created("p"), ...created("q"), ...created("r")));
    const children = Array.from({ length: 10 }, (_, i) => `${parents[i % 2]}~${"0".repeat(16)}.000000${i}`);
    for (const [i, id] of children.entries()) {
      const parent = parents[i % 2] ?? taskId("");
      await store.append(journal.next(...created(id, { parent, depth: 1, queue: queues[i % 3] ?? "" }, stateOf(i))));
    }
    const of = (i: number) => children.filter((_, index) => index % 2 === i);
    const parent = taskId("p");
    expect((await readPages(store, { parent, order: "oldest", limit })).flat()).toEqual(of(0));
    expect((await readPages(store, { parent: taskId("q"), order: "newest", limit })).flat()).toEqual(
      of(1).toReversed(),
    );
    expect((await readPages(store, { parent: taskId("nobody"), order: "newest", limit })).flat()).toEqual([]);
    expect((await readPages(store, { isRoot: true, order: "oldest", limit })).flat()).toEqual(["p", "q", "r"]);
    const successes = children.filter((_, i) => i % 4 === 2);
    expect((await readPages(store, { parent, states: ["success"], order: "oldest", limit })).flat()).toEqual(successes);
    const some = { isRoot: true, states: ["created"], queue: "default", order: "newest", limit } as const;
    expect((await readPages(store, some)).flat()).toEqual(["r", "q", "p"]);
    expect((await readPages(store, { ...some, name: "q" })).flat()).toEqual(["q"]);
    expect((await readPages(store, { parent, name: children[0] ?? "", order: "newest", limit })).flat()).toEqual(
      children.slice(0, 1),
    );
  });

  test.each(["plain", "0123456789abcdef01234567", "0123456789ABCDEF01234567"])(
    "a task without a name is found by its id as its name: %s",
    async (id) => {
      const { store, journal } = current();
      await store.append(journal.next(...created(id), ...created("other"), ...created("third", { name: id })));
      await store.append(journal.next());
      // Only what is in the view may be removed from the journal.
      await store.compact(2, 10);
      const { tasks } = await store.listTasks({ name: id, order: "oldest", cursor: null, limit: 10 });
      expect(tasks.map((task) => task.id)).toEqual([id, "third"]);
    },
  );

  test("documents in a list are whole", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a", { fingerprint: "f" })));
    const { tasks } = await store.listTasks({ order: "newest", cursor: null, limit: 1 });
    expect(tasks).toEqual([await store.readTask(taskId("a"))]);
  });

  test("a list that grows and shrinks between pages shows nothing twice", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...["a", "b", "c", "d"].flatMap((id) => created(id))));
    const query = { order: "newest", limit: 2 } as const;
    const first = await store.listTasks({ ...query, cursor: null });
    expect(first.tasks.map((task) => task.id)).toEqual(["d", "c"]);
    await store.append(
      journal.next(
        ...created("e"),
        { kind: "forget-task", id: taskId("c"), queue: "default", state: "success" },
        changed("a", "success"),
      ),
    );
    const second = await store.listTasks({ ...query, cursor: first.cursor });
    expect(second).toMatchObject({ tasks: [{ id: "b" }, { id: "a", state: "success" }], cursor: null });
  });

  test("a new task never stands before the page that a cursor points at, even if the newest was forgotten", async () => {
    const { store, journal } = current();
    await store.append(journal.next(...created("a"), ...created("b"), ...created("c")));
    const first = await store.listTasks({ order: "oldest", cursor: null, limit: 2 });
    await store.append(
      journal.next(
        { kind: "forget-task", id: taskId("b"), queue: "default", state: "success" },
        { kind: "forget-task", id: taskId("c"), queue: "default", state: "success" },
      ),
    );
    await store.append(journal.next(...created("d"), ...created("e")));
    const second = await store.listTasks({ order: "oldest", cursor: first.cursor, limit: 2 });
    expect(second.tasks.map((task) => task.id)).toEqual(["d", "e"]);
  });

  test.each(["", "x", "n", "n-1", "nzzzzzzzzzzzzz", "n01", "N1", "o1", "1; DROP TABLE tasks", "n1 "])(
    "the cursor %j is a bad request",
    async (cursor) => {
      const { store, journal } = current();
      await store.append(journal.next(...created("a")));
      const answer = store.listTasks({ order: "newest", cursor, limit: 1 });
      await expect(answer).rejects.toBeInstanceOf(OutlastError);
      await expect(answer).rejects.toMatchObject({ code: "bad-request" });
    },
  );
}
