/** Bugs planted in retries of finished tasks. */
import type { Mutant } from "./mutant.ts";

export const retryMutants: readonly Mutant[] = [
  {
    name: "opens a child below a parent that goes on without the rest of its set (real: seed 179587140096)",
    patches: [
      {
        file: "src/core/scheduler/retries.ts",
        search: "!== null && !families.at(prefix).isBroken;",
        replace: "!== null;",
      },
    ],
  },
  {
    name: "opens a task twice that another retry has opened meanwhile (real: seed 179586749754)",
    patches: [
      {
        file: "src/core/scheduler/retries.ts",
        search: "isOld(id) && tasks.get(id) === undefined;",
        replace: "isOld(id);",
      },
    ],
  },
  {
    name: "decides once more whether a task may run that has children from before its retry",
    patches: [
      {
        file: "src/core/scheduler/reopening.ts",
        search: "hasAttempts && attempt <= uncounted && isPristine;",
        replace: "hasAttempts && attempt <= uncounted;",
      },
    ],
  },
  {
    name: "retries a task and forgets its steps",
    patches: [
      {
        file: "src/core/scheduler/reopening.ts",
        search: "    if (beginning.isAnew) beginAnew(task);\n    else if",
        replace: "    if (task.family !== null) task.family.steps = 0;\n    if",
      },
    ],
  },
  {
    name: "retries what has succeeded, too",
    patches: [
      {
        file: "src/master/service/retryService.ts",
        search: '    for (const state of ["failed", "cancelled", "skipped"] as const) {',
        replace: '    for (const state of ["success", "failed", "cancelled", "skipped"] as const) {',
      },
    ],
  },
  {
    name: "retries a child and leaves its ancestors as they ended",
    patches: [
      {
        file: "src/core/scheduler/retries.ts",
        search: "  const opened = [...above.ended.flatMap((each) => byId.get(each) ?? []), top, ...below];",
        replace: "  const opened = [top, ...below];",
      },
      {
        file: "src/core/scheduler/reopening.ts",
        search: '    if (set === "missing") continue;',
        replace: "",
      },
    ],
  },
  {
    name: "retries a child and goes on counting it as ended",
    patches: [
      {
        file: "src/core/scheduler/reopening.ts",
        search: "    if (set !== null) uncount(state, set, task, status.state as FinalState);",
        replace: "",
      },
    ],
  },
  {
    name: "retries a task and goes on counting its failures",
    patches: [
      {
        file: "src/core/scheduler/reopening.ts",
        search: "  const counts = { failures: 0, kills: 0, uncounted: attempt, losses: 0 };",
        replace: "  const counts = { losses: 0 };",
      },
    ],
  },
  {
    name: "retries a graph and lets its nodes start before what they wait for",
    patches: [
      {
        file: "src/core/scheduler/reopening.ts",
        search: "  return { hadBegun, isAnew, isUndecided: after.length > 0 &&",
        replace: "  return { hadBegun, isAnew, isUndecided: hadBegun && after.length > 0 &&",
      },
    ],
  },
  {
    name: "retries a graph and leaves its skipped nodes as they ended",
    patches: [
      {
        file: "src/master/service/retryService.ts",
        search: '    for (const state of ["failed", "cancelled", "skipped"] as const) {',
        replace: '    for (const state of ["failed", "cancelled"] as const) {',
      },
    ],
  },
  {
    name: "lets a retried child start beside one that runs, once another master leads",
    patches: [
      {
        file: "src/core/scheduler/familiesModule.ts",
        search: "  child.isReleased = true;\n  set.active += 1;",
        replace: "  child.isReleased = false;\n  set.active = 0;",
      },
    ],
  },
  {
    name: "opens a child in a set that has ended for the failure of another (real: seed 179582809765)",
    patches: [
      {
        file: "src/core/scheduler/retries.ts",
        search: "if (failed <= (set.failuresMax ?? 0)) continue;",
        replace: "if (failed >= 0) continue;",
      },
    ],
  },
];
