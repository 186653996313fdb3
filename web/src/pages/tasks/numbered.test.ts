/** How children without names are found by their numbers. */
import { expect, test } from "vitest";
import { childId, childPrefix } from "../../../../src/model/family.ts";
import type { TaskId } from "../../../../src/model/ids.ts";
import type { Task } from "../../api/schema.ts";
import { findNumbered } from "./numbered.ts";

const size = 500;
const prefix = childPrefix("book" as TaskId, 1, "pages");

/** Pages of a family with so many children, the newest first. */
function pagesOf(children: number) {
  const asked: (string | undefined)[] = [];
  const read = async (cursor: string | undefined) => {
    asked.push(cursor);
    const from = Number(cursor ?? 0);
    const indices = Array.from({ length: Math.min(size, children - from) }, (_, index) => children - 1 - from - index);
    const tasks = indices.map(
      (index) => ({ id: childId(prefix, index), name: "page", kind: "page" }) as unknown as Task,
    );
    return { tasks, cursor: from + size < children ? String(from + size) : null };
  };
  return { asked, read };
}

test("a child is found beyond the first page, and no page is read after it", async () => {
  const { asked, read } = pagesOf(2_000);
  const { tasks, looked, isWhole } = await findNumbered(read, 1_200);
  expect(tasks.map(({ id }) => id)).toEqual([childId(prefix, 1_200)]);
  expect([looked, isWhole]).toEqual([1_000, false]);
  expect(asked).toEqual([undefined, "500"]);
});

test("a number that nobody has is looked for among all, and among many only as far as is said", async () => {
  expect(await findNumbered(pagesOf(700).read, 900)).toEqual({ tasks: [], looked: 700, isWhole: true });
  expect(await findNumbered(pagesOf(9_000).read, 3)).toEqual({ tasks: [], looked: 5_000, isWhole: false });
});

test("a task that has a name of its own is not taken for a numbered child", async () => {
  const task = { id: childId(prefix, 3), name: "cover", kind: "page" } as unknown as Task;
  expect((await findNumbered(async () => ({ tasks: [task], cursor: null }), 3)).tasks).toEqual([]);
});
