/** Bugs planted in the master's shell: the commit loop, the inbox, the followers. */
import type { Mutant } from "./mutant.ts";

export const masterMutants: readonly Mutant[] = [
  {
    name: "follows a jump that was taken back while it was paused (real: seed 179587293844)",
    patches: [
      {
        file: "src/node/wallTracker.ts",
        search: "  noteBlindness(): void {\n    this.#pending = null;",
        replace: "  noteBlindness(): void {",
      },
    ],
  },
  {
    name: "takes a clock that was set back and right again for one that stood so while the master was paused",
    patches: [
      {
        file: "src/node/wallTracker.ts",
        search: "    if (this.#keptLag !== null) this.#keptLag = { ...this.#keptLag, untilMs: null };\n",
        replace: "",
      },
    ],
  },
  {
    name: "gives adopted tasks ids of its own",
    patches: [
      {
        file: "src/master/service/masterService.ts",
        search: "tasks.map(({ id, submission }) => ({ ...submission, id }));",
        replace: "tasks.map(({ submission }) => ({ ...submission }));",
      },
    ],
  },
  {
    name: "does not say that a task was adopted, so that its document is never claimed",
    patches: [
      {
        file: "src/master/service/masterService.ts",
        search: ', adoptedFrom: "store" }',
        replace: " }",
      },
    ],
  },
  {
    name: "adopts only once per term",
    patches: [
      {
        file: "src/master/journal/adopter.ts",
        search: "    this.#arm(found.length > 0 ? defaults.adoptionStepMs : this.#waitMs);",
        replace: "",
      },
    ],
  },
  {
    name: "acknowledges before the commit",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "    const isLeadUnconfirmed =",
        replace:
          '    this.#parts.release(out.effects.filter((effect) => effect.kind === "reply"));\n    const isLeadUnconfirmed =',
      },
    ],
  },
  {
    name: "releases every effect before the commit",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "    const isLeadUnconfirmed =",
        replace: "    this.#parts.release(out.effects.splice(0));\n    const isLeadUnconfirmed =",
      },
    ],
  },
  {
    name: "tells of changes before the commit",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "    const startedAt = clock.now();\n    const end = await this.#committer.commit(entry);",
        replace:
          "    this.#parts.onCommitted({ seq: entry.seq, epoch, at: now, writes: out.writes }, entry.texts);\n    const startedAt = clock.now();\n    const end = await this.#committer.commit(entry);",
      },
    ],
  },
  {
    name: "takes an unknown commit for a committed one",
    patches: [
      {
        file: "src/master/journal/committer.ts",
        search: "        this.#suffer(error, seq);",
        replace: '        return "committed" as End;',
      },
    ],
  },
  {
    name: "takes an unknown commit for a failed one, and gives its slot other content",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "    const end = await this.#committer.commit(entry);",
        replace:
          '    let end: Awaited<ReturnType<Committer["commit"]>>;\n    try {\n      end = (await this.#parts.store.append(entry)) === "committed" ? "committed" : await this.#committer.commit(entry);\n    } catch {\n      alarm.cancel();\n      out.effects.length = 0;\n      return null;\n    }',
      },
    ],
  },
  {
    name: "takes every slot that is taken for its own",
    patches: [
      {
        file: "src/master/journal/committer.ts",
        search: 'found.nonce === entry.nonce && found.crc === entry.crc ? "committed" : "deposed"',
        replace: '"committed"',
      },
    ],
  },
  {
    name: "leads without having read the last entries",
    patches: [
      {
        file: "src/master/journal/follower.ts",
        search: "this.#scheduler.apply(this.#understood(write), this.#clock.now());",
        replace: "",
      },
    ],
  },
  {
    name: "counts silence while the store was away",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search:
          'does not count against workers.\n    if (tookMs > defaults.clockGapCommitMs) inbox.push({ kind: "clock-gap", forMs: tookMs, cause: "store" });',
        replace: "does not count against workers.",
      },
    ],
  },
  {
    name: "decides the next batch ahead however long the store has been away",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "    if (waiting.now - startedAt <= defaults.clockGapCommitMs) return this.#decide(waiting);",
        replace: "    return this.#decide(waiting);",
      },
    ],
  },
  {
    name: "begins to commit a batch that was decided ahead before the one before it is committed",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "      const end = await finishing;",
        replace: "      const end = ahead === null ? await finishing : null;",
      },
    ],
  },
  {
    name: "does not re-base deadlines after a pause",
    patches: [
      {
        file: "src/master/master.ts",
        search:
          'if (this.#state.role === "leader") this.#inbox.push({ kind: "clock-gap", forMs: byMs, cause: "clock" });',
        replace: "",
      },
    ],
  },
  {
    name: "judges by the new time before it knows of the pause (real: seed 419)",
    patches: [
      {
        file: "src/master/journal/inbox.ts",
        search:
          "    const now = this.#clock.now();\n    const inputs = this.#waiting.slice(0, countForBatch(this.#waiting));",
        replace:
          "    const inputs = this.#waiting.slice(0, countForBatch(this.#waiting));\n    const now = this.#clock.now();",
      },
    ],
  },
  {
    name: "follows a wall clock that is set forward at once",
    patches: [
      {
        file: "src/node/wallTracker.ts",
        search: "    if (this.#monotonicMs - this.#pending.sinceMs < settleMs) return 0;",
        replace: "    if (settleMs < 0) return 0;",
      },
    ],
  },
  {
    name: "starts tasks by the time that has passed though the wall clock was set back",
    patches: [
      {
        file: "src/core/scheduler/tasks.ts",
        search: "task.startAt <= now - this.clockLagMs",
        replace: "task.startAt <= now",
      },
      {
        file: "src/core/scheduler/tasks.ts",
        search: "isDue(starting?.startAt, now - this.clockLagMs)",
        replace: "isDue(starting?.startAt, now)",
      },
      {
        file: "src/core/scheduler/tasks.ts",
        search: "?? Number.POSITIVE_INFINITY) + this.clockLagMs;",
        replace: "?? Number.POSITIVE_INFINITY);",
      },
    ],
  },
  {
    name: "lets output of a forgotten task into the log of the next one of its id",
    having: ["isForgetful"],
    patches: [
      {
        file: "src/model/logOwner.ts",
        search: "  if (assignedAt === undefined) return true;",
        replace: "  if (assignedAt !== Number.NaN) return true;",
      },
    ],
  },
  {
    name: "remembers whose log it was when the id is used again",
    patches: [
      {
        file: "src/master/streams/logOwners.ts",
        search: "    if (known?.attempt === attempt && (assignedAt ?? known.assignedAt) === known.assignedAt)",
        replace: "    if (known?.attempt === attempt)",
      },
      {
        file: "src/master/streams/logOwners.ts",
        search: '    if (write.kind !== "forget-task") return;',
        replace: "    if (this.#drops >= 0) return;",
      },
    ],
  },
  {
    name: "refuses everything for ever when the store did not answer at the start of its term (real: seed 3028)",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "    this.#parts.onAnswered();",
        replace: "    if (this.#position.seq !== this.#parts.position.seq) this.#parts.onAnswered();",
      },
    ],
  },
];
