/** The chain that decided when a task ended. */
import { expect, test } from "vitest";
import type { Attempt } from "../../api/schema.ts";
import { criticalPath, type Member, tasksOnPath } from "./criticalPath.ts";

type Run = readonly [from: number, to: number, outcome?: Attempt["outcome"]];

function member(id: string, life: readonly [number, number], runs: readonly Run[], more: Partial<Member> = {}): Member {
  const attempts = runs.map(([assignedAt, endedAt, outcome = "success"], index) => {
    return { attempt: index + 1, worker: "w", boot: "b", assignedAt, endedAt, outcome };
  });
  const [createdAt, changedAt] = life;
  return { id, name: id, kind: "exec", state: "success", createdAt, changedAt, attempts, ...more };
}

/** `a/1 10-20` for an attempt, `a again 20-30` for a wait. */
function told(root: Member, ...family: Member[]): string[] {
  return criticalPath(root, family).map(
    ({ task, attempt, wait, from, to }) =>
      `${task}${attempt === null ? ` ${wait}` : `/${attempt.attempt}`} ${from}-${to}`,
  );
}

const graph = (id: string, life: readonly [number, number], more: Partial<Member> = {}) =>
  member(id, life, [], { kind: "graph", ...more });

test("a task alone: its waits and its attempts, without a gap and without what is too short to tell", () => {
  const runs: Run[] = [
    [30, 100, "failed"],
    [150, 300, "killed"],
    [320, 400],
  ];
  expect(told(member("a", [0, 403], runs))).toEqual([
    ...["a start 0-30", "a/1 30-100", "a again 100-150", "a/2 150-300", "a lost 300-320", "a/3 320-400"],
  ]);
  expect(
    told(
      member(
        "a",
        [0, 500],
        [
          [0, 100, "failed"],
          [400, 500],
        ],
        { retriedAt: 390 },
      ),
    ),
  ).toEqual([...["a/1 0-100", "a retried 100-400", "a/2 400-500"]]);
  expect(
    told(
      member(
        "a",
        [0, 500],
        [
          [0, 100, "suspended"],
          [400, 500],
        ],
      ),
    ),
  ).toContain("a asleep 100-400");
});

test("nothing is told before the end", () => {
  expect(told(member("a", [0, 90], [[10, 90]], { state: "running" }))).toEqual([]);
});

test("of the nodes of a graph only those that others have waited for, the last one first", () => {
  const node = (id: string, run: Run, after: readonly string[] = []) =>
    member(id, [0, run[1]], [run], { parent: "g", after: [...after] });
  const nodes = [
    node("load", [10, 100]),
    node("quick", [10, 40]),
    node("clean", [120, 200], ["load", "quick"]),
    node("other", [60, 150], ["quick"]),
    node("report", [210, 300], ["other", "clean"]),
  ];
  expect(told(graph("g", [0, 300]), ...nodes)).toEqual([
    ...["load start 0-10", "load/1 10-100", "clean before 100-120", "clean/1 120-200"],
    ...["report before 200-210", "report/1 210-300"],
  ]);
  const begun = nodes.map((each) => ({ ...each, createdAt: 5 }));
  expect(told(graph("g", [0, 300]), ...begun).slice(0, 2)).toEqual(["g made 0-5", "load start 5-10"]);
  expect(told(graph("g", [0, 300]), ...nodes.toReversed())).toEqual(told(graph("g", [0, 300]), ...nodes));
});

test("what had ended before a task was made has held up nothing", () => {
  const early = member("a", [0, 100], [[0, 100]], { parent: "g" });
  const late = member("b", [150, 200], [[160, 200]], { parent: "g", after: ["a"] });
  expect(told(graph("g", [0, 200]), early, late)).toEqual([
    "a/1 0-100",
    "g family 100-150",
    "b start 150-160",
    "b/1 160-200",
  ]);
});

test("a graph in a graph waits for what it comes after, although its nodes are there from the beginning", () => {
  const outer = [
    member("first", [0, 100], [[0, 100]], { parent: "g" }),
    graph("inner", [0, 300], { parent: "g", after: ["first"] }),
    member("x", [0, 200], [[130, 200]], { parent: "inner" }),
    member("y", [0, 300], [[200, 300]], { parent: "inner", after: ["x"] }),
  ];
  expect(told(graph("g", [0, 300]), ...outer)).toEqual([
    "first/1 0-100",
    "x before 100-130",
    "x/1 130-200",
    "y/1 200-300",
  ]);
});

test("a handler waits for the last of its children, which was made by an attempt of it", () => {
  const runs: Run[] = [
    [10, 50, "suspended"],
    [220, 260, "suspended"],
    [420, 500],
  ];
  const family = [
    member(
      "c1",
      [30, 200],
      [
        [60, 120, "failed"],
        [140, 200],
      ],
      { parent: "p" },
    ),
    member("c2", [30, 180], [[40, 180]], { parent: "p" }),
    member("late", [250, 400], [[250, 400]], { parent: "p" }),
  ];
  expect(told(member("p", [0, 500], runs), ...family)).toEqual([
    ...["p start 0-10", "p/1 10-30", "c1 start 30-60", "c1/1 60-120", "c1 again 120-140", "c1/2 140-200"],
    ...["p family 200-220", "p/2 220-250", "late/1 250-400", "p family 400-420", "p/3 420-500"],
  ]);
});

test("a task that ends with the last of its family ends by that", () => {
  const family = [member("c", [40, 300], [[50, 300]], { parent: "p" })];
  expect(told(member("p", [0, 310], [[0, 100]]), ...family)).toEqual([
    "p/1 0-40",
    "c start 40-50",
    "c/1 50-300",
    "p report 300-310",
  ]);
});

test("backups and what was cancelled have decided nothing, unless all was cancelled", () => {
  const won = member("won", [0, 100], [[0, 100]], { parent: "p" });
  const lost = member("lost", [0, 150], [[0, 150, "cancelled"]], { parent: "p", state: "cancelled" });
  const backup = member("backup", [0, 160], [[0, 160]], { parent: "p", backupOf: "won" });
  expect(told(graph("p", [0, 200]), won, lost, backup)).toEqual(["won/1 0-100", "p report 100-200"]);
  const all = graph("p", [0, 200], { state: "cancelled" });
  expect(told(all, won, lost)).toEqual(["lost/1 0-150", "p report 150-200"]);
});

test("a circle, unknown tasks and clocks that differ lead to no endless way and to nothing that runs backwards", () => {
  const circle = [
    member("a", [0, 100], [[90, 130]], { parent: "g", after: ["b", "unknown"] }),
    member("b", [0, 95], [[20, 300]], { parent: "g", after: ["a"] }),
  ];
  const parts = criticalPath(graph("g", [0, 100]), circle);
  expect(parts.length).toBeGreaterThan(0);
  for (const [index, { from, to }] of parts.entries()) {
    expect(from).toBeLessThan(to);
    if (index > 0) expect(from).toBeGreaterThanOrEqual(parts[index - 1]?.to ?? 0);
  }
});

test("a chain of ten thousand nodes is followed to its beginning", () => {
  const count = 10_000;
  const chain = Array.from({ length: count }, (_, index) =>
    member(`n${index}`, [0, (index + 1) * 10], [[index * 10, (index + 1) * 10]], {
      parent: "g",
      after: index === 0 ? [] : [`n${index - 1}`],
    }),
  );
  const parts = criticalPath(graph("g", [0, count * 10]), chain);
  expect(parts.length).toBe(count);
  expect(tasksOnPath(parts).size).toBe(count);
});
