/** Bugs planted in broadcasts. */
import type { Mutant } from "./mutant.ts";

export const broadcastMutants: readonly Mutant[] = [
  {
    name: "broadcasts to a worker that drains",
    patches: [
      {
        file: "src/core/scheduler/broadcastsModule.ts",
        search: "  return !worker.isGivenUp && !worker.record.isDraining && worker.offer",
        replace: "  return !worker.isGivenUp && worker.offer",
      },
    ],
  },
  {
    name: "leaves out a worker that is out of reach for the moment",
    patches: [
      {
        file: "src/core/scheduler/broadcastsModule.ts",
        search: "  return !worker.isGivenUp && !worker.record.isDraining && worker.offer",
        replace: "  return worker.isEligible && worker.offer",
      },
    ],
  },
  {
    name: "lets any worker run what is for one",
    patches: [
      {
        file: "src/core/scheduler/offer.ts",
        search: "requires.every((label) => this.labels.has(label));",
        replace: "requires.every((label) => workerOf([label]) !== null || this.labels.has(label));",
      },
    ],
  },
  {
    name: "lets a child of a broadcast wait for a worker that is gone for good",
    patches: [
      {
        file: "src/core/scheduler/broadcastsModule.ts",
        search: "    if (awayMs < settings.broadcastAwayMs || isFull(batch)) {",
        replace: "    if (awayMs < 1e9 || isFull(batch)) {",
      },
    ],
  },
  {
    name: "gives up a child of a broadcast as soon as its worker is away",
    patches: [
      {
        file: "src/core/scheduler/broadcastsModule.ts",
        search: "    if (awayMs < settings.broadcastAwayMs || isFull(batch)) {",
        replace: "    if (isFull(batch)) {",
      },
    ],
  },
  {
    name: "counts a broadcast as a success whatever became of its children",
    patches: [
      {
        file: "src/core/scheduler/graphsModule.ts",
        search: "  if (hasFailed(set)) return failWith(state, batch, task, code, reason);",
        replace: "  if (hasFailed(set) && !task.isBroadcast) return failWith(state, batch, task, code, reason);",
      },
    ],
  },
];
