/** Bugs planted in the worker's state machine, some of them together with the leader's check of the same thing. */
import type { Mutant } from "./mutant.ts";

export const workerMutants: readonly Mutant[] = [
  {
    name: "says once only that its machine is well again (real: seed 179587527348)",
    patches: [
      {
        file: "src/core/agent/trouble.ts",
        search: "return this.#saidAt !== null && now >= this.#saidAt + this.#settings.troubleCalmMs;",
        replace: "return false;",
      },
    ],
  },
  {
    name: "says nothing of an attempt that never arrived where an earlier task of its id had one (real: seed 179587136846)",
    patches: [
      {
        file: "src/core/agent/attempts.ts",
        search: "    if (assignedAt === undefined && this.#seen.covers(issued)) return;",
        replace: "    if (this.#seen.covers({ ...issued, assignedAt: 0 })) return;",
      },
    ],
  },
  {
    name: "forgets the attempts of an earlier task with the same id (real: seed 179586985187)",
    patches: [
      {
        file: "src/core/agent/tombstones.ts",
        search: "earlier: uncovered(seen, attempt, assignedAt) }",
        replace: "earlier: undefined }",
      },
    ],
  },
  {
    name: "lets a worker forget a result before its verdict",
    patches: [
      {
        file: "src/core/agent/agent.ts",
        search: "    this.#reports.putBack(batch);",
        replace:
          '    this.#attempts.settle(now, batch.results.map(({ task, attempt }) => ({ task, attempt, verdict: "committed" })), out);',
      },
    ],
  },
  {
    name: "lets a worker start an assignment as often as it comes",
    patches: [
      {
        file: "src/core/agent/attempts.ts",
        search: "    if (first !== undefined && (isSeen || first.assignedAt === assignedAt)) return;",
        replace: "",
      },
      {
        file: "src/core/agent/attempts.ts",
        search:
          "    if (first !== undefined) return this.#giveBack(now, new HeldAttempt(assignment, now, this.#budget), namesake);",
        replace: "",
      },
      {
        file: "src/core/agent/attempts.ts",
        search: "    if (isSeen) return this.#refuse(now, this.#hold(assignment, now), out);",
        replace: "",
      },
    ],
  },
  {
    name: "counts what a leaving worker had not begun as a kill",
    patches: [
      {
        file: "src/core/agent/attempts.ts",
        search: 'code: machineFault, message: "Its worker handed it back before it had begun."',
        replace: 'code: "worker-left", message: "Its worker handed it back before it had begun."',
      },
    ],
  },
  {
    name: "takes the slot of an attempt that is still ending for free, on both sides",
    patches: [
      {
        file: "src/core/agent/attempts.ts",
        search: "while (this.#waiting > 0 && this.#running < this.#capacity) {",
        replace: "while (this.#waiting > 0) {",
      },
      {
        file: "src/core/scheduler/liveWorker.ts",
        search: "return this.usedSlots < this.record.capacity;",
        replace: "return this.tasks.size < this.record.capacity;",
      },
    ],
  },
  {
    name: "lets a result overtake the items that its attempt sent before",
    patches: [
      {
        file: "src/core/agent/attempts.ts",
        search: "if (!held.isVoid && (held.itemsIfAny?.pendingCount ?? 0) > 0) {",
        replace: "if (held.isVoid) {",
      },
    ],
  },
  {
    name: "forgets the items of a report that did not get through",
    patches: [
      {
        file: "src/core/agent/reports.ts",
        search: "      items.sent = 0;\n      if (items.pendingCount > 0) this.addSpeaker(held);",
        replace: "      items.shift(items.sent);\n      if (items.pendingCount > 0) this.addSpeaker(held);",
      },
    ],
  },
];
