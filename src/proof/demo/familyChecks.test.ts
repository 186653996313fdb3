/** Each check of the family act sees the lie that it is there for. */
import { describe, expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument, TaskState } from "../../model/task.ts";
import { demandCase } from "./check.ts";
import type { JournalChange } from "./evidence.ts";
import { checkFamily, type FamilyEvidence } from "./familyChecks.ts";
import type { StepRun } from "./familyTasks.ts";

type Story = {
  -readonly [Name in keyof FamilyEvidence]: FamilyEvidence[Name] extends readonly (infer Item)[]
    ? Item[]
    : FamilyEvidence[Name];
};

function child(index: number, change: object = {}): TaskDocument {
  const id = `family~0.${index}` as TaskId;
  const given = { id, input: { index }, state: "success", output: 3 * index, attempt: 1, failures: 0, kills: 0 };
  return { ...given, ...change } as unknown as TaskDocument;
}

let seq = 0;
function changed(task: string, at: number, state: TaskState, change: object = {}): JournalChange {
  seq += 1;
  const given = { seq, epoch: 1, at, task, state, attempt: 1, failures: 0, kills: 0, host: "worker-1", boot: "b" };
  return { ...given, ...change };
}

function run(task: string, key: string, at: number, attempt = 1): StepRun {
  return { task, key, at, attempt };
}

/** Three children; the second loses worker-1 behind its first step, the third runs on while the leader dies. */
function story(): Story {
  const [one, two, three] = [0, 1, 2].map((index) => `family~0.${index}`) as [string, string, string];
  const remembered = [one, two, three].flatMap((task) => [
    { task, key: "first", committedAt: 110 },
    { task, key: "second", committedAt: task === two ? 1_510 : 210 },
  ]);
  return {
    wanted: 3,
    root: child(0, { id: "family", input: {}, output: 9, attempt: 2, family: { children: 3 } }),
    children: [child(0), child(1, { attempt: 2, kills: 1 }), child(2)],
    remembered: [
      ...remembered,
      { task: "family", key: "divide", committedAt: 60 },
      { task: "family", key: "sum", committedAt: 2_000 },
      { task: "family", key: "children", committedAt: 1_900 },
    ],
    runs: [
      run("family", "divide", 50),
      run(one, "first", 100),
      run(one, "second", 200),
      run(two, "first", 100),
      run(two, "second", 1_500, 2),
      run(three, "first", 100),
      run(three, "second", 200),
      run("family", "sum", 1_950, 2),
    ],
    changes: [
      changed(one, 90, "running"),
      changed(two, 90, "running"),
      changed(three, 90, "running", { host: "worker-2" }),
      changed(one, 220, "success"),
      changed(three, 220, "success", { host: "worker-2" }),
      changed(two, 300, "running", { attempt: 2, kills: 1, host: "worker-2" }),
      changed(two, 1_600, "success", { attempt: 2, kills: 1, host: "worker-2" }),
      changed("family", 2_010, "success", { attempt: 2 }),
    ],
    kills: [
      {
        what: "leader",
        process: "master",
        at: 120,
        running: [{ task: three, attempt: 1, host: "worker-2", steps: 1 }],
      },
      {
        what: "worker",
        process: "worker-1",
        at: 250,
        running: [{ task: two, attempt: 1, host: "worker-1", steps: 1 }],
      },
    ],
  };
}

test("a family that kept everything passes, with cases for each check", () => {
  expect(checkFamily(story()).filter(({ holds, cases }) => !holds || cases === 0)).toEqual([]);
});

test("a run in which nothing was cut off proves nothing", () => {
  const calm = { ...story(), kills: [] };
  const ids = checkFamily(calm)
    .map(demandCase)
    .flatMap(({ id, holds }) => (holds ? [] : [id]));
  expect(ids).toEqual(expect.arrayContaining(["steps-resumed", "master-death"]));
});

describe("a lie is seen", () => {
  test.each<[string, string, (story: Story) => unknown]>([
    ["a child failed", "family-result", ({ children }) => children.splice(0, 1, child(0, { state: "failed" }))],
    ["the sum is wrong", "family-result", (each) => (each.root = { ...each.root, output: 10 })],
    ["a child is missing", "children-once", ({ children }) => children.pop()],
    ["a child was made twice", "children-once", ({ children }) => children.push(child(1))],
    [
      "the counts are wrong",
      "children-once",
      (each) => (each.root = { ...each.root, family: { ...each.root.family!, children: 4 } }),
    ],
    [
      "a child that nobody knows",
      "children-once",
      ({ changes }) => changes.push(changed("family~1.0", 500, "running")),
    ],
    [
      "a child was committed twice",
      "children-once",
      ({ changes }) => changes.push(changed("family~0.0", 500, "success")),
    ],
    ["a remembered step ran again", "steps-once", ({ runs }) => runs.push(run("family~0.0", "first", 900, 2))],
    ["a step is forgotten", "steps-once", ({ remembered }) => remembered.shift()],
    ["a step was remembered that nobody ran", "steps-once", ({ runs }) => runs.pop()],
    ["a child began from scratch", "steps-resumed", ({ runs }) => runs.push(run("family~0.1", "first", 105, 2))],
    [
      "a child ran again without a death",
      "family-reruns",
      ({ children }) => children.splice(0, 1, child(0, { attempt: 2 })),
    ],
    ["a loss counts as a failure", "family-reruns", ({ children }) => children.splice(0, 1, child(0, { failures: 1 }))],
    ["a worker that lived was given up", "family-reruns", ({ kills }) => kills.pop()],
    ["the leader's death cost an attempt", "master-death", ({ changes }) => changes.splice(4, 1)],
  ])("%s", (_what, id, lie) => {
    const told = story();
    lie(told);
    expect(checkFamily(told).flatMap((check) => (check.holds ? [] : [check.id]))).toContain(id);
  });
});
