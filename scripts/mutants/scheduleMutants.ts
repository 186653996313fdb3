/** Bugs planted in schedules: what becomes of ticks, edits, overlaps, backfills, and what a new leader makes of them. */
import type { Mutant } from "./mutant.ts";

const ticks = "src/core/scheduler/ticks.ts";
const module = "src/core/scheduler/schedulesModule.ts";
const memory = "src/core/scheduler/schedules.ts";

export const scheduleMutants: readonly Mutant[] = [
  {
    name: "settles a tick again after a take-over",
    patches: [
      {
        file: module,
        search: "  step(state, batch) {\n",
        replace:
          "  activate(state) {\n    for (const { record } of [...state.schedules.all()])\n      if (record.nextAt !== null && record.settledAt > record.sinceAt)\n        state.schedules.put(record.name, { ...record, nextAt: record.settledAt });\n  },\n  step(state, batch) {\n",
      },
      {
        file: memory,
        search: "  get size(): number {",
        replace: "  all(): Iterable<LiveSchedule> {\n    return this.#byName.values();\n  }\n\n  get size(): number {",
      },
    ],
  },
  {
    name: "computes the next tick anew when it takes over, from now on",
    patches: [
      {
        file: module,
        search: "  step(state, batch) {\n",
        replace:
          "  activate(state, batch) {\n    for (const { record } of [...state.schedules.all()])\n      if (record.nextAt !== null)\n        state.schedules.put(record.name, { ...record, nextAt: nextTick(record.content, wallNow(state, batch), state.settings.calendar) });\n  },\n  step(state, batch) {\n",
      },
      {
        file: memory,
        search: "  get size(): number {",
        replace: "  all(): Iterable<LiveSchedule> {\n    return this.#byName.values();\n  }\n\n  get size(): number {",
      },
    ],
  },
  {
    name: "writes the task of a tick and the next tick into two entries",
    patches: [
      {
        file: module,
        search: "    settleAll(state, batch);\n    state.schedules.writeTouched(batch);",
        replace: "    state.schedules.writeTouched(batch);\n    settleAll(state, batch);",
      },
    ],
  },
  {
    name: "skips a tick that is due when a schedule is edited",
    patches: [
      {
        file: module,
        search: "  if (schedule !== undefined && !settleDue(state, batch, schedule)) return busy();\n  const record",
        replace: "  const record",
      },
    ],
  },
  {
    name: "skips a tick that is due when a schedule is removed",
    patches: [
      {
        file: module,
        search: "  if (!settleDue(state, batch, schedule)) return busy();\n  const { nextAt: tick, isPaused }",
        replace: "  const { nextAt: tick, isPaused }",
      },
    ],
  },
  {
    name: "forgets with a removal which ticks have fired",
    patches: [
      {
        file: module,
        search: "  const record = recordOf(state, batch, wanted, schedule?.record ?? null);",
        replace:
          "  const record = recordOf(state, batch, wanted, schedule?.record.isRemoved === true ? null : (schedule?.record ?? null));",
      },
    ],
  },
  {
    name: "drops ticks that wait without a word when their schedule is removed",
    patches: [
      {
        file: module,
        search: '  dropQueued(state, schedule, "removed");\n',
        replace: "  state.schedules.change(schedule, { queued: [] });\n",
      },
    ],
  },
  {
    name: "replaces only the first of the ticks that wait",
    patches: [
      {
        file: ticks,
        search: '      dropQueued(state, schedule, "replaced");',
        replace: "      state.schedules.change(schedule, { queued: [] });",
      },
    ],
  },
  {
    name: "passes over missed ticks without a word",
    patches: [
      {
        file: ticks,
        search: '    skip(state, schedule, { from: tick, to: windowFrom - 1, reason: "missed" }, next);',
        replace: "    state.schedules.change(schedule, { settledAt: windowFrom - 1, nextAt: next });",
      },
    ],
  },
  {
    name: "takes every late tick for a missed one",
    patches: [
      {
        file: ticks,
        search: "  const lateFrom = now - defaults.missedGraceMs - jitterMs;",
        replace: "  const lateFrom = now - jitterMs;",
      },
    ],
  },
  {
    name: "makes up for one missed tick too many",
    patches: [
      {
        file: ticks,
        search: '{ from: tick, to: tick, reason: "missed" }, next);\n    return true;',
        replace:
          '{ from: tick, to: tick, reason: "missed" }, next);\n    return fire(state, batch, schedule, tick, next);',
      },
    ],
  },
  {
    name: "ticks while the schedule is paused",
    patches: [
      {
        file: memory,
        search: "    if (nextAt === null || isPaused || isRemoved === true) return;",
        replace: "    if (nextAt === null || isRemoved === true) return;",
      },
    ],
  },
  {
    name: "resumes a schedule without a word on what was passed over",
    patches: [
      {
        file: module,
        search:
          '    skip(state, schedule, { from: tick, to: now, reason: "paused" }, next);\n  }\n  state.schedules.change(schedule, { isPaused: false });',
        replace:
          "    state.schedules.change(schedule, { settledAt: now, nextAt: next });\n  }\n  state.schedules.change(schedule, { isPaused: false });",
      },
    ],
  },
  {
    name: "goes by the clock that never goes back (real: was so at first)",
    patches: [
      {
        file: ticks,
        search: "  return now - tasks.clockLagMs;",
        replace: "  return now + 0 * tasks.clockLagMs;",
      },
      {
        file: module,
        search: "first.fireAt + tasks.clockLagMs;",
        replace: "first.fireAt + 0 * tasks.clockLagMs;",
      },
    ],
  },
  {
    name: "does not wait for a process that is still dying",
    patches: [
      {
        file: ticks,
        search: "    for (const { task } of worker.dying) dying.add(task);\n    if (worker.heardAt",
        replace: "    if (worker.heardAt",
      },
    ],
  },
  {
    name: "does not wait, as a new leader, to hear what still runs (real: was so at first)",
    patches: [
      {
        file: ticks,
        search: "    if (worker.heardAt === null && !worker.isGivenUp) isUnsure = true;",
        replace: "",
      },
    ],
  },
  {
    name: "lets ticks overlap that must be skipped",
    patches: [
      {
        file: ticks,
        search: '      skip(state, schedule, { from: tick, to: tick, reason: "overlap" }, next);\n      return true;',
        replace: "      return fire(state, batch, schedule, tick, next);",
      },
    ],
  },
  {
    name: "skips ticks for an overlap that there is not",
    patches: [
      {
        file: ticks,
        search: "  return { open: open.filter((id) => tasks.get(id) !== undefined || dying.has(id)), isUnsure };",
        replace: "  return { open: [...open], isUnsure };",
      },
    ],
  },
  {
    name: "runs the ticks that wait all at once",
    patches: [
      {
        file: ticks,
        search: "    if (!isAllowed && (open.length > 0 || isUnsure)) return;",
        replace: "    if (!isAllowed && (open.length > 1 || isUnsure)) return;",
      },
    ],
  },
  {
    name: "forgets the tasks made before overlaps mattered (real: was so at first)",
    patches: [
      {
        file: module,
        search: "old !== null && !wasWatching ? findOpenTicks(state, wanted.name) : (old?.open ?? []),",
        replace: "old !== null && !wasWatching ? [] : (old?.open ?? []),",
      },
    ],
  },
  {
    name: "begins its term with the next tick after this instant, and passes over those that are due",
    patches: [
      {
        file: module,
        search: "const next = nextTick(content, settledAt, calendar);\n    const wasTick",
        replace: "const next = nextTick(content, Math.max(settledAt, nextAt ?? 0), calendar);\n    const wasTick",
      },
    ],
  },
  {
    name: "backfills what has fired",
    patches: [
      {
        file: "src/core/scheduler/backfill.ts",
        search: "  return (tick <= sinceAt || skipped.some(isIn)) && !queued.includes(tick) && !backfilled.some(isIn);",
        replace: "  return (tick > sinceAt || skipped.some(isIn)) && !queued.includes(tick) && !backfilled.some(isIn);",
      },
    ],
  },
  {
    name: "does not remember what it has backfilled",
    patches: [
      {
        file: "src/core/scheduler/backfill.ts",
        search:
          "    state.schedules.change(schedule, { backfilled: withSpan(record.backfilled, { from, to: doneTo }) });",
        replace: "    state.schedules.change(schedule, { backfilled: [{ from, to: doneTo }] });",
      },
    ],
  },
];
