/** Bugs planted in what several masters share: elections, fencing, following, keeping and forgetting. */
import type { Mutant } from "./mutant.ts";

export const electionMutants: readonly Mutant[] = [
  {
    name: "releases what a refused entry had decided",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: "      if (end !== null) return end;\n    }\n    this.#parts.stats",
        replace:
          "      if (end !== null) {\n        this.#parts.release(out.effects);\n        return end;\n      }\n    }\n    this.#parts.stats",
      },
    ],
  },
  {
    name: "goes on leading when its entry was refused",
    patches: [
      {
        file: "src/master/leadership/term.ts",
        search: '    if (end !== "committed") return end;',
        replace: '    if (end === "stopped") return end;',
      },
    ],
  },
  {
    name: "leads without a marker in the journal",
    patches: [
      {
        file: "src/master/leadership/standby.ts",
        search: "      const end = await this.#takeOver.commit(entry);",
        replace: '      const end = this.#isStopped ? "stopped" : "committed";',
      },
    ],
  },
  {
    name: "begins its term in the epoch of the one before",
    patches: [
      {
        file: "src/master/leadership/standby.ts",
        search: "      const epoch = position.epoch + 1;",
        replace: "      const epoch = Math.max(1, position.epoch);",
      },
    ],
  },
  {
    name: "takes what it cannot see in its slot for its own",
    patches: [
      {
        file: "src/master/journal/committer.ts",
        search: '    if (found === undefined) return "retry";',
        replace: '    if (found === undefined) return "committed";',
      },
    ],
  },
  {
    name: "trusts the wall clock in the lease",
    patches: [
      {
        file: "src/core/election/candidate.ts",
        search: "    this.#beat += 1;",
        replace: "    this.#beat = now;",
      },
      {
        file: "src/core/election/candidate.ts",
        search: "    if (unchangedMs >= ttlMs + jitterMs)",
        replace: "    if (now - (lease?.beat ?? 0) >= ttlMs + jitterMs)",
      },
      {
        file: "src/core/election/candidate.ts",
        search: "seen.nonce !== lease.nonce || lease.beat > seen.beat;",
        replace: "seen.nonce !== lease.nonce;",
      },
    ],
  },
  {
    name: "takes a beat from the past for a sign of life (real: seed 529)",
    patches: [
      {
        file: "src/core/election/candidate.ts",
        search: "seen.nonce !== lease.nonce || lease.beat > seen.beat;",
        replace: "seen.nonce !== lease.nonce || lease.beat !== seen.beat;",
      },
    ],
  },
  {
    name: "tells standbys of a lease that the store has not taken",
    patches: [
      {
        file: "src/master/leadership/election.ts",
        search: "      leaseGuard.noteWrite(lease.ttlMs);\n",
        replace: "      leaseGuard.noteWrite(lease.ttlMs);\n      beats.noteLease(lease);\n",
      },
    ],
  },
  {
    name: "tells standbys of an entry before its commit",
    patches: [
      {
        file: "src/master/leadership/leaderBeats.ts",
        search: "ttlMs, seq: this.#seq });",
        replace: "ttlMs, seq: this.#seq + 1 });",
      },
    ],
  },
  {
    name: "waits for the whole lease of a leader whose address has vanished",
    patches: [
      {
        file: "src/core/election/candidate.ts",
        search: "    this.#beatAtClose ??= this.#seen?.beat ?? 0;",
        replace: "    this.#beatAtClose = null;",
      },
    ],
  },
  {
    name: "follows on over a gap in the journal",
    patches: [
      {
        file: "src/master/journal/follower.ts",
        search: "      if (first.seq !== this.#position.seq + 1) {",
        replace: "      if (first.seq <= this.#position.seq) {",
      },
      {
        file: "src/master/journal/follower.ts",
        search: "    checkLink(this.#position, entry);\n",
        replace: "",
      },
    ],
  },
  {
    name: "compacts ahead of a standby",
    patches: [
      {
        file: "src/master/journal/housekeeper.ts",
        search: "    return Math.min(oldest.seq, seqOfSlowest());",
        replace: "    return seqOfSlowest() === -1 ? 0 : oldest.seq;",
      },
    ],
  },
  {
    name: "compacts without regard to age or to standbys",
    patches: [
      {
        file: "src/master/journal/housekeeper.ts",
        search: "    return Math.min(oldest.seq, seqOfSlowest());",
        replace: "    return seqOfSlowest() === -1 ? 0 : this.#seq;",
      },
    ],
  },
  {
    name: "keeps its workers when it is cut off from the store (real: seeds 120 and 178)",
    patches: [
      {
        file: "src/master/leadership/leaseGuard.ts",
        search: "      this.#letGo();",
        replace: "      this.#doubtedAt = now;",
      },
    ],
  },
  {
    name: "lets inputs of a former term into the next one (real: seed 126)",
    patches: [
      {
        file: "src/master/journal/inbox.ts",
        search: "    if (this.#isShut) return;\n",
        replace: "",
      },
    ],
  },
  {
    name: "forgets a finished task twice (real: seed 19)",
    having: ["isForgetful"],
    patches: [
      {
        file: "src/master/journal/housekeeper.ts",
        search: "const fresh = isOnItsWay ? [] : expired;",
        replace: "const fresh = expired;",
      },
      {
        file: "src/core/scheduler/bulk.ts",
        search: "if (!hasEndedAnew && !recentlyForgotten.isGone(task.id)) forget(state, batch, task);",
        replace: "if (!hasEndedAnew) forget(state, batch, task);",
      },
    ],
  },
  {
    name: "does not count forgotten tasks out on a standby (real: seed 42)",
    patches: [
      {
        file: "src/core/scheduler/tasksModule.ts",
        search: '    "forget-task": (state, write) => dropFinished(state, write),',
        replace: '    "forget-task": ({ tasks }, { id }) => tasks.recentlyFinished.forget(id),',
      },
    ],
  },
  {
    name: "forgets tasks that are not old enough",
    patches: [
      {
        file: "src/master/journal/housekeeper.ts",
        search: "0 : wallAt - settings.retentionMs;",
        replace: "0 : wallAt - settings.retentionMs / 4;",
      },
    ],
  },
  {
    name: "does not tell a follower of events what it missed",
    patches: [
      {
        file: "src/master/streams/changes.ts",
        search: "    for (; seq < this.#seq; seq += 1) {",
        replace: "    for (; seq < 0; seq += 1) {",
      },
    ],
  },
  {
    name: "forgets on a standby how often a task was killed",
    patches: [
      {
        file: "src/core/scheduler/liveTask.ts",
        search: "  task.kills = status.kills;",
        replace: "  task.kills = Math.min(task.kills, status.kills);",
      },
    ],
  },
  {
    name: "does not watch the leader's process",
    patches: [
      {
        file: "src/core/election/candidate.ts",
        search: '    this.#refusals = 0;\n    effects.push({ kind: "probe-peer", address });',
        replace: "    this.#refusals = 0;",
      },
    ],
  },
  {
    name: "never hears of a leader that wrote no lease",
    patches: [
      {
        file: "src/core/election/candidate.ts",
        search: "    this.#leader = { epoch, address };\n",
        replace: "",
      },
    ],
  },
  {
    name: "kills what ran under the leader before",
    patches: [
      {
        file: "src/core/scheduler/tasksModule.ts",
        search: "      if (task.run !== null) workers.get(task.run.host)?.hold(task);",
        replace: "      if (task.run !== null && task.attempt > 1) workers.get(task.run.host)?.hold(task);",
      },
    ],
  },
  {
    name: "never lets go of a call that ends in an outage",
    patches: [
      {
        file: "src/master/master.ts",
        search: "    this.#rejectAll(() => this.#state.notLeader());",
        replace: "",
      },
    ],
  },
];
