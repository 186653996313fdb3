/** Bugs planted where families are kept: children, steps, waits, signals, decided outcomes. */
import type { Mutant } from "./mutant.ts";

export const familyMutants: readonly Mutant[] = [
  {
    name: "does not wake a task when its last child has ended",
    patches: [
      {
        file: "src/core/scheduler/endings.ts",
        search: "  else wakeIfDue(state, batch, parent);",
        replace: "",
      },
    ],
  },
  {
    name: "does not look at what has come already when a task suspends",
    patches: [
      {
        file: "src/core/scheduler/waits.ts",
        search:
          "  if (!settleWaits(state, batch, task)) armWaits(state, batch, task);\n  state.tasks.write(batch, task);",
        replace: "  armWaits(state, batch, task);\n  state.tasks.write(batch, task);",
      },
    ],
  },
  {
    name: "does not wake a task when its signal comes",
    patches: [
      {
        file: "src/core/scheduler/familiesModule.ts",
        search: "  state.signals.add(batch, id, signal);\n  wakeIfDue(state, batch, task);",
        replace: "  state.signals.add(batch, id, signal);",
      },
    ],
  },
  {
    name: "makes a child twice when its parent says it again",
    patches: [
      {
        file: "src/core/scheduler/attemptItems.ts",
        search: "  const fresh = item.submissions.slice(created - item.first);",
        replace: "  const fresh = item.submissions;",
      },
      {
        file: "src/core/scheduler/attemptItems.ts",
        search: "    if (end <= created || known.isBroken) return committed;",
        replace: "    if (end <= created + item.submissions.length || known.isBroken) return committed;",
      },
    ],
  },
  {
    name: "does not seal a set of children",
    patches: [
      {
        file: "src/core/scheduler/attemptItems.ts",
        search: "  if (item.isLast) set.isSealed = true;",
        replace: "",
      },
    ],
  },
  {
    name: "seals a set of children with its first chunk",
    patches: [
      {
        file: "src/core/scheduler/attemptItems.ts",
        search: "  if (item.isLast) set.isSealed = true;",
        replace: "  set.isSealed = true;",
      },
    ],
  },
  {
    name: "ends a parent before its children",
    patches: [
      {
        file: "src/core/scheduler/endings.ts",
        search: "  if (open === 0) return endNow(state, batch, task, end, output);",
        replace: "  if (open >= 0) return endNow(state, batch, task, end, output);",
      },
      {
        file: "src/core/scheduler/endings.ts",
        search: "  if (parent === undefined) throw new Error(",
        replace: "  if (parent === undefined) return;\n  if (parent === null) throw new Error(",
      },
    ],
  },
  {
    name: "takes the steps of an attempt that is over",
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search:
          '  if (task === undefined || task.run?.boot !== worker.boot) return { verdict: "stale" };\n  return takeContent(state, batch, task, item);',
        replace:
          '  const late = state.tasks.get(item.task);\n  if (item.kind === "step" && late !== undefined) return takeContent(state, batch, late, item);\n  if (task === undefined || task.run?.boot !== worker.boot) return { verdict: "stale" };\n  return takeContent(state, batch, task, item);',
      },
    ],
  },
  {
    name: "lets running children of a cancelled task go on and make children of their own",
    patches: [
      {
        file: "src/core/scheduler/attemptItems.ts",
        search: '  if (isBelowEnding(state, task)) return { verdict: "stale" };',
        replace: "",
      },
      {
        file: "src/core/scheduler/familiesModule.ts",
        search: '  if (isSuccess && child.state === "running") return;',
        replace: '  if (isSuccess || child.state === "running") return;',
      },
    ],
  },
  {
    name: "forgets on the next leader that a task remembers steps",
    patches: [
      {
        file: "src/core/scheduler/family.ts",
        search: "    Object.assign(family, { steps, stepBytes,",
        replace: "    Object.assign(family, { steps: Math.min(steps, 0), stepBytes,",
      },
    ],
  },
  {
    name: "delivers a signal twice when it is sent twice",
    patches: [
      {
        file: "src/core/scheduler/signals.ts",
        search: "    const delivered = [...record.delivered, signal.id].slice(-limits.signalsMax);",
        replace: "    const delivered = record.delivered.slice(-limits.signalsMax);",
      },
    ],
  },
  {
    name: "delivers a signal once more after a retry (real: seed 179586641633)",
    patches: [
      {
        file: "src/core/scheduler/reopening.ts",
        search: "  state.signals.restore(batch, id, family.signalled);\n",
        replace: "",
      },
    ],
  },
  {
    name: "aborts a suspended attempt whose slot is free already (real: seed 179586805922)",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: '      state.tasks.setState(task, "waiting");\n      return cancelTask(',
        replace: "      return cancelTask(",
      },
    ],
  },
  {
    name: "keeps a signal that it has delivered",
    patches: [
      {
        file: "src/core/scheduler/signals.ts",
        search: "    const pending = record.pending.filter((each) => each !== signal);",
        replace: "    const pending = record.pending;",
      },
    ],
  },
  {
    name: "does not count children that were cancelled",
    patches: [
      {
        file: "src/core/scheduler/families.ts",
        search: '    else if (state === "cancelled") this.cancelled += 1;',
        replace: '    else if (state === "cancelled") this.cancelled += 0;',
      },
    ],
  },
  {
    name: "does not take up on the next leader the end of a family whose outcome is decided",
    patches: [
      {
        file: "src/core/scheduler/tasksModule.ts",
        search: "startWalk(state, task)",
        replace: "void task",
      },
    ],
  },
  {
    name: "lets all children of a set run at a time after an election",
    patches: [
      {
        file: "src/core/scheduler/endings.ts",
        search: "    set.active += 1;\n    if (child.state",
        replace: "    if (child.attempt === 0) set.active += 1;\n    if (child.state",
      },
    ],
  },
  {
    name: "begins a sleep anew when its task suspends again",
    patches: [
      {
        file: "src/core/scheduler/waits.ts",
        search: 'until: before?.kind === "sleep" ? before.until : now + wait.ms }',
        replace: "until: now + wait.ms }",
      },
    ],
  },
  {
    name: "takes an item that comes again for a new one",
    patches: [
      {
        file: "src/core/scheduler/attemptItems.ts",
        search: "  return id !== undefined && task.family !== null && id <= task.family.lastItem;",
        replace: "  return id !== undefined && task.family !== null && id < 0;",
      },
    ],
  },
  {
    name: "makes a task from the latest version of its template, whichever it was asked for",
    patches: [
      {
        file: "src/master/service/templateService.ts",
        search: "    const version = wanted ?? (await this.#latest(name));",
        replace: "    const version = (await this.#latest(name)) + 0 * (wanted ?? 0);",
      },
    ],
  },
  {
    name: "changes a version of a template in place",
    patches: [
      {
        file: "src/core/scheduler/templatesModule.ts",
        search: "  const version = (before?.version ?? 0) + 1;",
        replace: "  const version = before?.isRemoved === true ? before.version : (before?.version ?? 0) + 1;",
      },
    ],
  },
  {
    name: "remembers with a task another version of its template than it was made from",
    patches: [
      {
        file: "src/master/service/templateService.ts",
        search: "version: template.version, variables }",
        replace: "version: Math.max(1, template.version - 1), variables }",
      },
    ],
  },
  {
    name: "tells a handler of another task than the one that it has made",
    patches: [
      {
        file: "src/core/scheduler/attemptItems.ts",
        search: '  return { verdict: "committed", made };',
        replace: '  return { verdict: "committed", made: task.id };',
      },
    ],
  },
];
