/** Bugs planted in retries of finished tasks. */
import type { Mutant } from "./mutant.ts";

export const retryMutants: readonly Mutant[] = [
  {
    name: "retries a task and forgets its steps",
    patches: [
      {
        file: "src/core/scheduler/retries.ts",
        search: "    if ((task.id === id && isFromScratch) || task.isGraph) task.family?.beginGeneration();",
        replace: "    if (task.family !== null) task.family.steps = 0;",
      },
    ],
  },
  {
    name: "retries what has succeeded, too",
    patches: [
      {
        file: "src/master/service/retryService.ts",
        search: '    for (const state of ["failed", "cancelled"] as const) {\n      for (',
        replace: '    for (const state of ["success", "failed", "cancelled"] as const) {\n      for (',
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
        file: "src/core/scheduler/retries.ts",
        search: '    if (set === "missing") continue;',
        replace: "",
      },
    ],
  },
  {
    name: "retries a child and goes on counting it as ended",
    patches: [
      {
        file: "src/core/scheduler/retries.ts",
        search: "    if (set !== null) uncount(state, set, task, each.status.state as FinalState);",
        replace: "",
      },
    ],
  },
];
