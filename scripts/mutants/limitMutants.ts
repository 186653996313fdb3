/** Bugs in what bounds how many tasks run at a time, and how fast they start. */
import type { Mutant } from "./mutant.ts";

export const limitMutants: readonly Mutant[] = [
  {
    name: "holds a key for an attempt that its worker never had",
    patches: [
      {
        file: "src/core/scheduler/holds.ts",
        search: "    if (assignedAt > 0) return",
        replace: "    if (assignedAt >= 0) return",
      },
    ],
  },
  {
    name: "frees the key of an attempt before its process has ended",
    having: ["isLimited"],
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "if (task.run?.boot === worker.boot) state.holds.add(batch, task);",
        replace: "if (task.id.length === 0) state.holds.add(batch, task);",
      },
    ],
  },
  {
    name: "forgets which dying attempts still count when their worker attaches again",
    having: ["isLimited"],
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search: "  worker.clearDying();\n  const unwanted = adoptRunning(",
        replace: "  worker.clearDying();\n  state.holds.endOf(batch, id);\n  const unwanted = adoptRunning(",
      },
    ],
  },
  {
    name: "does not ask a worker that attaches again about dying attempts that it does not name",
    having: ["isLimited"],
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search: "  askAboutHolds(state, batch, worker, session);\n",
        replace: "",
      },
    ],
  },
  {
    name: "lets one task more run with a key than may",
    having: ["isLimited"],
    patches: [
      {
        file: "src/core/scheduler/keyGroups.ts",
        search: "held < use.max;",
        replace: "held <= use.max;",
      },
    ],
  },
  {
    name: "starts a task while a process of the one that it replaces still ends",
    having: ["uniqueActs"],
    patches: [
      {
        file: "src/core/scheduler/holds.ts",
        search: "...(uniqueKey !== null && { uniqueKey })",
        replace: "...(uniqueKey === task.id && { uniqueKey })",
      },
    ],
  },
  {
    name: "overlooks a task with the unique key that does not run",
    having: ["uniqueActs"],
    patches: [
      {
        file: "src/core/scheduler/uniqueKeys.ts",
        search: "if (owner === undefined || !isEnding(task)) owner = task;",
        replace: 'if (task.state === "running") owner = task;',
      },
    ],
  },
  {
    name: "does not look whether a queue has room while it fills slots",
    having: ["isLimited"],
    patches: [
      {
        file: "src/core/scheduler/tasks.ts",
        search: "if (queue.isLimited) this.#lanes.refresh(queue);",
        replace: "if (queue.isLimited && by < 0) this.#lanes.refresh(queue);",
      },
    ],
  },
  {
    name: "counts the starts of a queue with a rate from the wrong end",
    having: ["isLimited"],
    patches: [
      {
        file: "src/core/scheduler/rates.ts",
        search: ".filter(([at]) => at > now - rate.perMs);",
        replace: ".filter(([at]) => at > now - rate.perMs / 2);",
      },
    ],
  },
];
