/** Bugs planted where tasks wait for tasks: graphs, and `after` of all others. */
import type { Mutant } from "./mutant.ts";

const dependencies = "src/core/scheduler/dependencies.ts";
const graphsModule = "src/core/scheduler/graphsModule.ts";

export const graphMutants: readonly Mutant[] = [
  {
    name: "starts a task when the first of those that it waits for has ended",
    patches: [
      {
        file: dependencies,
        search: "      waiter.links.open -= 1;\n      if (waiter.links.open === 0) this.#due.push(waiter);",
        replace: "      waiter.links.open = 0;\n      if (waiter.links.open === 0) this.#due.push(waiter);",
      },
    ],
  },
  {
    name: "starts a task though what it waits for did not succeed",
    patches: [
      {
        file: graphsModule,
        search: "      if (failed !== undefined) return `${failed} did not succeed.`;",
        replace: "      if (failed !== undefined && task.depth > 9) return `${failed} did not succeed.`;",
      },
    ],
  },
  {
    name: "starts what is for a failure in every case",
    patches: [
      {
        file: graphsModule,
        search: '      return failed === undefined ? "all that it waits for has succeeded." : null;',
        replace: "      return null;",
      },
    ],
  },
  {
    name: "skips a task at the first failure, while others that it waits for still run",
    patches: [
      {
        file: dependencies,
        search: "      waiter.links.open -= 1;\n      if (waiter.links.open === 0) this.#due.push(waiter);",
        replace:
          '      waiter.links.open -= 1;\n      if (waiter.links.open === 0 || (end !== "success" && waiter.links.runIf === "success")) this.#due.push(waiter);',
      },
      {
        file: graphsModule,
        search: "    if ((task.links?.open ?? 0) > 0) continue;\n",
        replace:
          "    if ((task.links?.open ?? 0) > 0 && state.dependencies.failureBefore(task) === undefined) continue;\n",
      },
    ],
  },
  {
    name: "takes what failed before a task named it for a success",
    patches: [
      {
        file: "src/core/scheduler/submit.ts",
        search:
          '  for (const [id, end] of before.ends) if (end !== "success") state.dependencies.noteFailure(batch, id, end);\n',
        replace: "",
      },
    ],
  },
  {
    name: "does not know as a new leader which tasks wait for which",
    patches: [
      {
        file: graphsModule,
        search:
          '    if (task.state === "blocked") state.dependencies.block(task, (id) => state.tasks.get(id) !== undefined);',
        replace: "",
      },
    ],
  },
  {
    name: "waits as a new leader for tasks that have failed already",
    patches: [
      {
        file: dependencies,
        search: "      if (isLive(id)) links.open += 1;",
        replace: "      if (isLive(id) || this.#failed.has(id)) links.open += 1;",
      },
    ],
  },
  {
    name: "does not take a graph up as a new leader whose nodes have all ended",
    patches: [
      {
        file: graphsModule,
        search: "  else if (set.isOver) state.graphs.over.add(task.id);",
        replace: "",
      },
    ],
  },
  {
    name: "starts more of a graph though a node has failed",
    patches: [
      {
        file: "src/core/scheduler/endings.ts",
        search: "  return parent?.isStopped === true && attempt === 0 && family === null",
        replace: "  return parent?.isStopped === true && attempt > 99 && family === null",
      },
    ],
  },
  {
    name: "takes a graph for a success though a node was cancelled",
    patches: [
      {
        file: graphsModule,
        search: "  return failed + cancelled > 0;",
        replace: "  return failed + 0 * cancelled > 0;",
      },
    ],
  },
  {
    name: "forgets families that unfinished tasks wait for",
    patches: [
      {
        file: "src/core/scheduler/bulk.ts",
        search: " || dependencies.isPinned(rootOf(id))) return false;",
        replace: " || dependencies.isPinned(`${rootOf(id)}?` as TaskId)) return false;",
      },
    ],
  },
  {
    name: "gives a task the output of another of those that it waits for",
    patches: [
      {
        file: "src/master/journal/graphReader.ts",
        search: "after[names.indexOf(name)];",
        replace: "after[0];",
      },
    ],
  },
  {
    name: "leaves a node in line for ever whose input comes after another has failed (real: seed 127)",
    patches: [
      {
        file: graphsModule,
        search: "  if (reason !== null) return skip(state, batch, task, reason);\n",
        replace: "",
      },
    ],
  },
];
