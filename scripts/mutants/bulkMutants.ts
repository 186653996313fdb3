/** Bugs in operations on many tasks at once. */
import type { Mutant } from "./mutant.ts";

export const bulkMutants: readonly Mutant[] = [
  {
    name: "counts a deleted task out twice",
    patches: [
      {
        file: "src/core/scheduler/bulk.ts",
        search: " || recentlyForgotten.isAfter(task.id, seq)) continue;",
        replace: ") continue;",
      },
      {
        file: "src/core/scheduler/bulk.ts",
        search: "if (!hasEndedAnew && !recentlyForgotten.isGone(task.id)) forget(state, batch, task);",
        replace: "if (!hasEndedAnew) forget(state, batch, task);",
      },
    ],
  },
  {
    name: "forgets a task that was retried and has ended anew since it was found (real: seed 184588294818)",
    having: ["isForgetful"],
    patches: [
      {
        file: "src/core/scheduler/bulk.ts",
        search: "if (!hasEndedAnew && !recentlyForgotten.isGone(task.id)) forget(state, batch, task);",
        replace: "if (!recentlyForgotten.isGone(task.id)) forget(state, batch, task);",
      },
    ],
  },
  {
    name: "deletes a task that has not ended",
    patches: [
      {
        file: "src/core/scheduler/bulk.ts",
        search: "  if (!isFinal(end) || isOpen || !isAsFound || dependencies.isPinned(rootOf(id))) return false;",
        replace: "  if (!isFinal(end) || dependencies.isPinned(rootOf(id))) return false;",
      },
    ],
  },
  {
    name: "deletes a family and leaves the backups of its tasks (real: seed 179582558343)",
    having: ["jobActs", "isForgetful"],
    patches: [
      {
        file: "src/master/service/bulkDeletes.ts",
        search: "tasks: [...(await this.#backupsOf(look)), ...look.tasks]",
        replace: "tasks: look.tasks",
      },
    ],
  },
  {
    name: "deletes a root before what is below it",
    patches: [
      {
        file: "src/master/service/bulkDeletes.ts",
        search: "const alone = roots.filter(({ family }) => !mayHaveChildren(family));",
        replace: "const alone = roots;",
      },
    ],
  },
  {
    name: "acknowledges more cancellations than an entry had room for",
    patches: [
      {
        file: "src/core/scheduler/bulk.ts",
        search: "    cancelTask(state, batch, task);\n    done.push(id);",
        replace: "    if (seen % 2 === 1) cancelTask(state, batch, task);\n    done.push(id);",
      },
    ],
  },
  {
    name: "acknowledges a retry of many before each task is open",
    patches: [
      {
        file: "src/master/service/bulkRetries.ts",
        search: "    await retry;\n    return",
        replace: "    void retry.catch(() => undefined);\n    return",
      },
    ],
  },
  {
    name: "opens a parent that has succeeded, for a retry of many",
    patches: [
      {
        file: "src/core/scheduler/retries.ts",
        search: "  const kept = leavesSuccess ?",
        replace: "  const kept = !leavesSuccess ?",
      },
    ],
  },
];
