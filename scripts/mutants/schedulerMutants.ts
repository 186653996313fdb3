/** Bugs planted in the Scheduler: attempts, sessions, deaths, dispatch, submits. */
import type { Mutant } from "./mutant.ts";

export const schedulerMutants: readonly Mutant[] = [
  {
    name: "never forgets a dead worker that an earlier leader gave up",
    patches: [
      {
        file: "src/core/scheduler/failureDetector.ts",
        search: "      rememberGone(state, worker);\n      continue;",
        replace: "      continue;",
      },
    ],
  },
  {
    name: "uses the number of a killed attempt again",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "  task.attempt += 1;",
        replace: "  task.attempt = Math.max(1, task.failures + 1);",
      },
    ],
  },
  {
    name: "begins the next attempt before the last one has ended",
    patches: [
      {
        file: "src/core/scheduler/failureDetector.ts",
        search: "  suspect(state, batch, worker, worker.isRelayed ? settings.relayedGraceMs : settings.abruptGraceMs);",
        replace:
          '  suspect(state, batch, worker, worker.isRelayed ? settings.relayedGraceMs : settings.abruptGraceMs);\n  for (const task of [...worker.tasks.values()]) {\n    worker.release(task);\n    state.tasks.unplace(task);\n    task.state = "created";\n    state.lanes.enqueue(task);\n  }',
      },
    ],
  },
  {
    name: "accepts a late completion of an attempt that was killed",
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search:
          "  return task.attempt === issued.attempt && task.run?.assignedAt === issued.assignedAt ? task : undefined;",
        replace: "  return task;",
      },
    ],
  },
  {
    name: "ignores the capacity of workers",
    patches: [
      {
        file: "src/core/scheduler/liveWorker.ts",
        search: "return this.usedSlots < this.record.capacity;",
        replace: "return this.usedSlots < this.record.capacity + 1;",
      },
    ],
  },
  {
    name: "assigns to draining workers",
    patches: [
      {
        file: "src/core/scheduler/liveWorker.ts",
        search:
          'return this.isOpen && this.state === "connected" && !this.record.isDraining && this.#trouble === null;',
        replace: 'return this.isOpen && this.state === "connected";',
      },
    ],
  },
  {
    name: "assigns to suspect workers",
    patches: [
      {
        file: "src/core/scheduler/liveWorker.ts",
        search:
          'return this.isOpen && this.state === "connected" && !this.record.isDraining && this.#trouble === null;',
        replace: "return this.isOpen && !this.isGivenUp && !this.record.isDraining && this.#trouble === null;",
      },
    ],
  },
  {
    name: "assigns to workers whose stream is closed",
    patches: [
      {
        file: "src/core/scheduler/liveWorker.ts",
        search:
          'return this.isOpen && this.state === "connected" && !this.record.isDraining && this.#trouble === null;',
        replace: "return !this.isGivenUp && !this.record.isDraining && this.#trouble === null;",
      },
    ],
  },
  {
    name: "does not wait for the back-off",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "  else state.tasks.enqueue(task, retryAt, batch.now);",
        replace: "  else state.tasks.enqueue(task, 0, batch.now);",
      },
    ],
  },
  {
    name: "counts a lost worker as a failure",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "  task.kills += 1;",
        replace: "  task.failures += 1;",
      },
    ],
  },
  {
    name: "tries once more than it may",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "  if (isFinal || task.failures >= task.limits.attemptsMax) return",
        replace: "  if (isFinal || task.failures > task.limits.attemptsMax) return",
      },
    ],
  },
  {
    name: "forgets the result of a success",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: '      return finish(state, batch, task, "success", result.output);',
        replace: '      return finish(state, batch, task, "success");',
      },
    ],
  },
  {
    name: "ignores priority",
    patches: [
      {
        file: "src/core/scheduler/lane.ts",
        search: "  if (a.priority !== b.priority) return a.priority > b.priority;",
        replace: "",
      },
    ],
  },
  {
    name: "starves one queue",
    patches: [
      {
        file: "src/core/scheduler/lanes.ts",
        search: "    return lane.ready.size > 0 && this.hasFreeWorker(lane) && lane.queue.isOpen;",
        replace:
          '    return lane.ready.size > 0 && this.hasFreeWorker(lane) && lane.queue.isOpen && lane.queue.name !== "slow";',
      },
    ],
  },
  {
    name: "leaves a slot in use when its attempt fails",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: '    case "failed":\n      leaveWorker(state, task);',
        replace: '    case "failed":\n      state.tasks.unplace(task);',
      },
    ],
  },
  {
    name: "creates a task anew for every repeated submit",
    patches: [
      {
        file: "src/core/scheduler/submit.ts",
        search:
          "const known = spec.fingerprint === null ? undefined : knownFingerprint(state, spec.id, lookup, created);",
        replace: "const known = spec.fingerprint === null || lookup === null ? undefined : created.get(spec.id);",
      },
    ],
  },
  {
    name: "accepts a key for other content",
    patches: [
      {
        file: "src/core/scheduler/submit.ts",
        search: "} else if (known !== spec.fingerprint) {",
        replace: "} else if (known === undefined) {",
      },
    ],
  },
  {
    name: "keeps the attempts of a worker's earlier boot",
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search: "    if (known.boot !== request.boot) endBoot(state, batch, known, inOutbox);",
        replace: "",
      },
    ],
  },
  {
    name: "does not send again what never arrived",
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search: "    if (task.run?.boot === worker.boot) worker.redeliver.push(task);",
        replace: "    if (task.run?.boot === worker.boot) continue;",
      },
    ],
  },
  {
    name: "has a returning worker end what it should keep",
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search: "    running.add(id);\n    noteStart(state, task, startedAt);",
        replace: "    running.add(id);\n    abort.push({ task: id, attempt });\n    noteStart(state, task, startedAt);",
      },
    ],
  },
  {
    name: "gives workers no time after an election",
    patches: [
      {
        file: "src/core/scheduler/failureDetector.ts",
        search: "    suspect(state, batch, worker, state.settings.failoverGraceMs);\n    if (worker.isProbeTrusted)",
        replace: "    suspect(state, batch, worker, 1);\n    if (worker.isProbeTrusted)",
      },
    ],
  },
  {
    name: "believes a refusal where it was never answered itself",
    patches: [
      {
        file: "src/core/scheduler/failureDetector.ts",
        search: '  if (result === "refused" && worker.isProbeTrusted && !worker.isOpen) {',
        replace: '  if (result === "refused" && !worker.isOpen) {',
      },
      {
        file: "src/core/scheduler/failureDetector.ts",
        search: "    suspect(state, batch, worker, state.settings.failoverGraceMs);\n    if (worker.isProbeTrusted) ",
        replace: "    suspect(state, batch, worker, state.settings.failoverGraceMs);\n    ",
      },
    ],
  },
  {
    name: "takes deaths that are explained for the network's",
    patches: [
      {
        file: "src/core/scheduler/failureDetector.ts",
        search:
          'LiveWorker, why: string): void {\n  state.massLoss.explain(worker.id);\n  endWorker(state, batch, worker, "lost", why);',
        replace: 'LiveWorker, why: string): void {\n  endWorker(state, batch, worker, "lost", why);',
      },
      {
        file: "src/core/scheduler/failureDetector.ts",
        search: "LiveWorker): void {\n  state.massLoss.explain(worker.id);\n}",
        replace: "LiveWorker): void {\n  state.massLoss.noteDisconnected(worker.id);\n}",
      },
    ],
  },
  {
    name: "takes a lost network for the death of many workers",
    patches: [
      {
        file: "src/core/scheduler/massLoss.ts",
        search: "    if (closed < min ||",
        replace: "    if (closed > 0 ||",
      },
    ],
  },
  {
    name: "has no patience after an outage (real: seed 1208)",
    patches: [
      {
        file: "src/core/scheduler/failureDetector.ts",
        search:
          "  state.patientUntil = Math.max(state.patientUntil, batch.now + Math.min(failoverGraceMs, abruptGraceMs + 2 * forMs));",
        replace: "  state.patientUntil = Math.min(failoverGraceMs, abruptGraceMs + 2 * forMs);",
      },
    ],
  },
  {
    name: "keeps no time-out, on both sides",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "  state.tasks.wakeAt(task, Math.max(dueAt, batch.now + 1));",
        replace: "  state.tasks.wakeAt(task, Math.max(dueAt, batch.now + 1) + 600_000);",
      },
      {
        file: "src/core/agent/attempts.ts",
        search: "      held.deadlineAt = now + held.timeoutMs;",
        replace: "      held.deadlineAt = now + held.timeoutMs + 600_000;",
      },
    ],
  },
  {
    name: "ignores the labels that a task requires",
    patches: [
      {
        file: "src/core/scheduler/offer.ts",
        search: " && requires.every((label) => this.labels.has(label));",
        replace: " && requires.length >= 0;",
      },
    ],
  },
  {
    name: "ignores which kinds a worker can run",
    patches: [
      {
        file: "src/core/scheduler/offer.ts",
        search: "this.queues.has(queue.name) && this.kinds.has(kind) && requires",
        replace: 'this.queues.has(queue.name) && kind !== "" && requires',
      },
    ],
  },
  {
    name: "forgets a lane while workers are busy",
    patches: [
      {
        file: "src/core/scheduler/lanes.ts",
        search: "      if (isFree) free?.add(group);",
        replace: "      if (isFree && lane.ready.size < 3) free?.add(group);",
      },
    ],
  },
  {
    name: "goes on giving a kind to a worker that cannot run it, and counts it against the task",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "  task.uncounted += 1;\n  task.last",
        replace: "  task.failures += 1;\n  task.last",
      },
    ],
  },
  {
    name: "keeps a slot of a worker that could not run a task",
    patches: [
      {
        file: "src/core/scheduler/liveWorker.ts",
        search: "    if (task.run?.boot === this.boot) this.#use(-1);",
        replace: '    if (task.run?.boot === this.boot && task.lane.kind !== "resize") this.#use(-1);',
      },
    ],
  },
  {
    name: "gives more tasks to a worker that runs what must run alone",
    patches: [
      {
        file: "src/core/scheduler/lanes.ts",
        search: "worker.isEligible && worker.keptFor === null ?",
        replace: "worker.isEligible ?",
      },
    ],
  },
  {
    name: "does not wait until a worker is empty for what must run alone",
    patches: [
      {
        file: "src/core/scheduler/isolation.ts",
        search: "!isWaiting(task) || worker.usedSlots > 0) return;",
        replace: "!isWaiting(task) || !worker.hasFreeSlot) return;",
      },
    ],
  },
  {
    name: "runs a task at once again however often its worker was lost",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "else state.tasks.enqueue(task, task.last?.retryAt ?? 0, batch.now);",
        replace: "else state.tasks.enqueue(task, 0, batch.now);",
      },
    ],
  },
  {
    name: "lets whoever comes out of order wait for all that came in order",
    patches: [
      {
        file: "src/core/line.ts",
        search: "    return this.#isBefore(late, first) ? late : first;",
        replace: "    return first;",
      },
    ],
  },
  {
    name: "lines up whoever comes behind all others",
    patches: [
      {
        file: "src/core/line.ts",
        search: "if (last !== undefined && last !== null && this.#isBefore(item, last)) return",
        replace: "if (last === null) return",
      },
    ],
  },
];
