/** The filters of the list of tasks, and what is counted under them. */
import { expect, test } from "vitest";
import type { Queue } from "../../api/schema.ts";
import { countsOf, queuedStates, readFilters, toggled } from "./filters.ts";

const all = { success: 101, created: 3 };
const queues = [{ name: "imports", tasks: { success: 27 } }] as unknown as Queue[];

test("counts are of what the filters leave, or none", () => {
  expect(countsOf({ state: "success", order: "oldest" }, all, queues)).toBe(all);
  expect(countsOf({ queue: "imports" }, all, queues)).toEqual({ success: 27 });
  expect(countsOf({ queue: "other" }, all, queues)).toBeNull();
  for (const filters of [
    { host: "w1" },
    { name: "n" },
    { parent: "p" },
    { roots: true } as const,
    { waiting: "key" },
    { queue: "imports", host: "w1" },
  ])
    expect(countsOf(filters, all, queues)).toBeNull();
});

test("only tasks without a parent are asked for in the address, and not of children", () => {
  expect(readFilters({ roots: true, queue: "q" })).toEqual({ roots: true, queue: "q" });
  expect(readFilters({ roots: true, parent: "p" })).toEqual({ parent: "p" });
  expect(readFilters({ roots: "yes" })).toEqual({});
});

test("a reason to wait that there is none of is no filter", () => {
  expect(readFilters({ waiting: "workers-busy" })).toEqual({ waiting: "workers-busy" });
  expect(readFilters({ waiting: "toString" })).toEqual({});
});

test("what is queued is chosen and left as one", () => {
  const chosen = toggled(["created", "failed"], queuedStates);
  expect(new Set(chosen)).toEqual(new Set(["failed", ...queuedStates]));
  expect(toggled(chosen, queuedStates)).toEqual(["failed"]);
  expect(toggled(["failed"], ["failed"])).toEqual([]);
});
