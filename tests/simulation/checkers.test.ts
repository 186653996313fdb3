/** A checker is believed only after it has seen a lie: for each invariant, a history that breaks it. */
import { describe, expect, test } from "vitest";
import type { BootId, TaskId, WorkerId } from "../../src/model/ids.ts";
import { checkAll, checkers } from "../../src/proof/checkers/all.ts";
import { queueWrite, workerWrite } from "../../src/proof/contracts/storeJournal.ts";
import { attemptLies } from "./attemptLies.ts";
import { backupLies } from "./backupLies.ts";
import { blobLies } from "./blobLies.ts";
import { broadcastLies, goodBroadcasts } from "./broadcastLies.ts";
import { familyLies, forgottenChild } from "./familyLies.ts";
import { goodGraph, graphLies, retriedBroadcast, retriedGraph } from "./graphLies.ts";
import { jobLies } from "./jobLies.ts";
import { limitLies } from "./limitLies.ts";
import {
  boot,
  goodHistory,
  life,
  MadeHistory,
  spec,
  status,
  submitted,
  task,
  usedAgain,
  worker,
  workerRecord,
} from "./madeHistory.ts";
import { death, idleMaster, led, masterLies } from "./masterLies.ts";
import { remoteLies } from "./remoteLies.ts";
import { goodSchedules, missedAndEdited, scheduleLies } from "./scheduleLies.ts";
import { scriptLies } from "./scriptLies.ts";
import { webhookLies } from "./webhookLies.ts";
import { workerLies } from "./workerLies.ts";

function invariantsOf(made: MadeHistory): string[] {
  return [...new Set(checkAll(made.build()).map((violation) => violation.invariant))];
}

/** Each lie by the invariant that it breaks; several ways to lie where the checker looks at several things. */
/** An entry between two others. */
const anything = { kind: "digest", digest: { tasks: 0 } } as const;

const lies: { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } } = {
  I1: {
    "an acknowledged task is gone": () => {
      const made = goodHistory();
      made.documents.set(task, null);
      return made;
    },
    "a task never ends": () => submitted(),
  },
  I2: {
    "two attempts succeed": () => goodHistory().status({ state: "success", attempt: 2, output: { token: "token 2" } }),
    "the result changes": () => {
      const made = goodHistory();
      made.documents.set(task, { output: { token: "another" } });
      return made;
    },
  },
  I3: {
    "a result that nothing gave": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .execStart(1)
        .execEnd(1, "success")
        .status({ state: "success", attempt: 1, output: { token: "made up" } }),
    "a success before the end of its execution": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .execStart(1)
        .status({ state: "success", attempt: 1, output: { token: "token 1" } })
        .execEnd(1, "success"),
  },
  I44: {
    "a result is taken before an item": () =>
      goodHistory().add({ kind: "item-sent", task, token: "token 1", number: 1 }).verdict(1, "committed"),
    "a later item is taken and an earlier one never": () =>
      goodHistory()
        .add({ kind: "item-sent", task, token: "token 1", number: 1 })
        .add({ kind: "item-sent", task, token: "token 1", number: 2 })
        .add({ kind: "item-acked", life, token: "token 1", number: 2, verdict: "committed" }),
    "a later item is taken first": () =>
      goodHistory()
        .add({ kind: "item-sent", task, token: "token 1", number: 1 })
        .add({ kind: "item-sent", task, token: "token 1", number: 2 })
        .add({ kind: "item-acked", life, token: "token 1", number: 2, verdict: "committed" })
        .add({ kind: "item-acked", life, token: "token 1", number: 1, verdict: "committed" }),
    "an attempt is told that an item was taken, and it was not": () =>
      goodHistory()
        .add({ kind: "item-sent", task, token: "token 1", number: 1 })
        .add({ kind: "item-answered", task, token: "token 1", number: 1, verdict: "committed" }),
    "an item is answered twice": () =>
      goodHistory()
        .add({ kind: "item-sent", task, token: "token 1", number: 1 })
        .add({ kind: "item-acked", life, token: "token 1", number: 1, verdict: "committed" })
        .add({ kind: "item-answered", task, token: "token 1", number: 1, verdict: "committed" })
        .add({ kind: "item-answered", task, token: "token 1", number: 1, verdict: "committed" }),
  },
  I4: {
    "a number is left out": () => goodHistory().status({ state: "running", attempt: 3, failures: 2 }),
    "a number is used again": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .status({ state: "killed", attempt: 1, kills: 1 })
        .status({ state: "running", attempt: 1, kills: 1 }),
    "the next one begins before this one has ended": () =>
      submitted().status({ state: "running", attempt: 1 }).status({ state: "running", attempt: 2 }),
  },
  I5: {
    "a final task runs again": () => goodHistory().status({ state: "running", attempt: 2, failures: 1 }),
    "a task succeeds without running": () => submitted().status({ state: "success" }),
  },
  I6: {
    "more failures than allowed": () => submitted().status({ state: "retrying", attempt: 4, failures: 4 }),
    "given up too early": () =>
      submitted().status({ state: "running", attempt: 1 }).status({ state: "failed", attempt: 1, failures: 1 }),
    "a lost worker counts as a failure": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .execStart(1)
        .execEnd(1, "died")
        .status({ state: "retrying", attempt: 1, failures: 1, retryAt: 1000 }),
    "a kill, though its worker was there and had not begun with it": () =>
      submitted().status({ state: "running", attempt: 1 }).status({ state: "killed", attempt: 1, kills: 1 }),
  },
  I7: {
    "a killed attempt succeeds": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .status({ state: "killed", attempt: 1, kills: 1 })
        .status({ state: "success", attempt: 1, kills: 1 }),
    "a late completion is told that it is committed": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .status({ state: "killed", attempt: 1, kills: 1 })
        .verdict(1, "committed"),
    "a current attempt is told that it is stale": () =>
      submitted().status({ state: "running", attempt: 1 }).verdict(1, "stale"),
  },
  I8: {
    "started without an assignment": () => submitted().execStart(1),
    "started by another boot": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .execStart(1, { boot: "boot-1.2" as BootId }),
    "started before the assignment landed": () => submitted().execStart(1).status({ state: "running", attempt: 1 }),
  },
  I9: {
    "started twice": () => goodHistory().execStart(1, { token: "again" }),
  },
  I10: {
    "two attempts at once": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .execStart(1)
        .status({ state: "killed", attempt: 1, kills: 1 })
        .status({ state: "running", attempt: 2, kills: 1 })
        .execStart(2),
    "two attempts at once on workers in reach": () => {
      const made = submitted()
        .status({ state: "running", attempt: 1 })
        .execStart(1)
        .hear()
        .status({ state: "killed", attempt: 1, kills: 1 });
      made.conditions = { ...made.conditions, isCalm: false };
      return made.status({ state: "running", attempt: 2, kills: 1 }).execStart(2);
    },
  },
  I11: {
    "a retry that does not wait": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .status({ state: "retrying", attempt: 1, failures: 1, retryAt: 800 })
        .later(100)
        .status({ state: "running", attempt: 2, failures: 1 }),
    "a back-off that is too short": () =>
      submitted()
        .status({ state: "retrying", attempt: 1, failures: 1, retryAt: 10 })
        .later(100)
        .status({ state: "running", attempt: 2, failures: 1 }),
    "a time-out that nobody keeps": () =>
      new MadeHistory()
        .attach()
        .entry(
          { kind: "spec", spec: spec({ limits: { ...spec().limits, timeoutMs: 1000 } }) },
          { kind: "status", status: status({ state: "running", attempt: 1 }) },
        )
        .later(60_000)
        .status({ state: "cancelled", attempt: 1 }),
  },
  I12: {
    "one key, two tasks": () =>
      goodHistory()
        .add({ kind: "submit-invoke", call: 2, key: "key", tasks: [{ id: null, body: "a" }] })
        .add({ kind: "submit-ok", call: 2, ids: ["t2" as TaskId] }),
    "one key, two contents": () =>
      goodHistory()
        .add({ kind: "submit-invoke", call: 2, key: "key", tasks: [{ id: null, body: "b" }] })
        .add({ kind: "submit-ok", call: 2, ids: [task] }),
    "a repetition that is refused": () =>
      goodHistory()
        .add({ kind: "submit-invoke", call: 2, key: "key", tasks: [{ id: null, body: "a" }] })
        .add({ kind: "submit-fail", call: 2, code: "conflict" }),
    "one key, two contents, when its first task is forgotten later": () =>
      goodHistory()
        .add({ kind: "submit-invoke", call: 2, key: "key", tasks: [{ id: null, body: "b" }] })
        .add({ kind: "submit-ok", call: 2, ids: [task] })
        .entry({ kind: "forget-task", id: task, queue: "default", state: "success" }),
    "a task that is created twice": () => goodHistory().entry({ kind: "spec", spec: spec() }),
  },
  I18: {
    "a standby that counts otherwise": () => {
      const made = goodHistory();
      made.masters = [{ ...idleMaster, seq: made.entries.length, tasksByState: { failed: 1 } }];
      return made;
    },
    "a standby that found itself adrift": () => {
      const made = goodHistory();
      made.drifts = 1;
      return made;
    },
    "a document that differs": () => {
      const made = goodHistory();
      made.documents.set(task, { state: "failed" });
      return made;
    },
    "a memory that differs": () => {
      const made = goodHistory();
      made.leader = { seq: made.entries.length, tasksByState: { success: 2 }, workers: [], queues: [] };
      return made;
    },
    "a chain that is broken": () => {
      const made = goodHistory();
      const last = made.entries.pop();
      if (last !== undefined) made.entries.push({ ...last, previousCrc: 4711 });
      return made;
    },
    "slots that are booked for nobody": () => {
      const made = goodHistory();
      const slots = [{ id: worker, boot, running: 1 }];
      made.leader = { seq: made.entries.length, tasksByState: { success: 1 }, workers: slots, queues: [] };
      return made;
    },
  },
  I20: {
    "a leader in good health is followed by another": () =>
      led()
        .later(20_000)
        .entryOf({ epoch: 2, nonce: "another", life: "master-2#1" }, { kind: "marker", address: "a", collections: {} }),
    "nobody leads after the heal": () =>
      goodHistory()
        .add({ kind: "trouble-over", what: "everything", nodes: [] })
        .later(20_000)
        .add({ kind: "leads", life, epoch: 1 }),
    "a death that nobody notices": () =>
      led().add(death).later(5_000).add({ kind: "leads", life: "master-2#1", epoch: 2 }).hear(),
    "nobody leads": () => {
      const made = goodHistory();
      made.leader = null;
      return made;
    },
  },
  I30: {
    "two at once in one slot": () =>
      submitted()
        .execStart(1)
        .execStart(1, { task: "t2" as TaskId, token: "other" }),
    "two booked in one slot": () =>
      submitted()
        .status({ state: "running", attempt: 1 })
        .entry(
          { kind: "spec", spec: spec({ id: "t2" as TaskId }) },
          { kind: "status", status: status({ id: "t2" as TaskId, state: "running", attempt: 1 }) },
        ),
  },
  I32: {
    "a task from a paused queue": () =>
      submitted()
        .entry(queueWrite({ name: "default", isPaused: true }))
        .status({ state: "running", attempt: 1 }),
    "a draining worker": () =>
      submitted()
        .entry(workerWrite(workerRecord({ isDraining: true })))
        .status({ state: "running", attempt: 1 }),
    "a lost worker": () =>
      submitted()
        .entry(workerWrite(workerRecord({ state: "lost" })))
        .status({ state: "running", attempt: 1 }),
    "an earlier boot": () =>
      submitted()
        .entry(workerWrite(workerRecord({ boot: "boot-1.2" as BootId })))
        .status({ state: "running", attempt: 1 }),
    "a worker whose stream is closed": () =>
      submitted()
        .add({ kind: "stream-closed", life, worker, boot, session: `1.${boot}` })
        .entry(anything)
        .status({ state: "running", attempt: 1 }),
    "a silent worker": () => submitted().later(9000).entry(anything).status({ state: "running", attempt: 1 }),
  },
  I33: {
    "a kill where no worker suffered": () => {
      const made = submitted()
        .status({ state: "running", attempt: 1 })
        .status({ state: "killed", attempt: 1, kills: 1 });
      made.conditions = { ...made.conditions, sparesWorkers: true };
      return made;
    },
  },
  I34: {
    "an outbox that keeps something": () => {
      const made = goodHistory();
      made.outboxes.set(worker, 1);
      return made;
    },
    "a result that nobody settles": () =>
      submitted().status({ state: "running", attempt: 1 }).execStart(1).execEnd(1, "success"),
  },
  I41: {
    "the less urgent one goes first": () =>
      submitted()
        .entry(
          { kind: "spec", spec: spec({ id: "t2" as TaskId, priority: 5 }) },
          { kind: "status", status: status({ id: "t2" as TaskId }) },
        )
        .status({ state: "running", attempt: 1 }),
    "a slot stays free while a task waits": () =>
      submitted().later(2_500).hear().later(2_500).hear().later(2_500).hear().later(2_500).hear().entry(),
  },
};

const allLies = {
  ...{ ...lies, ...masterLies, ...workerLies, ...familyLies, ...scheduleLies, ...scriptLies, ...limitLies },
  I4: { ...lies["I4"], ...attemptLies.I4 },
  I22: { ...familyLies["I22"], ...scheduleLies.I22 },
  I26: { ...scriptLies["I26"], ...graphLies },
  ...{ I49: blobLies.I49, ...jobLies, ...backupLies, ...webhookLies, ...broadcastLies, ...remoteLies },
};

test("a history without a lie is accepted by every checker", () => {
  expect(checkAll(goodHistory().build())).toEqual([]);
});

test("a cancel may be acknowledged after another leader has opened the task again", () => {
  const made = submitted();
  const asked = (made.entries.at(-1)?.order ?? 0) + 1;
  made.status({ state: "cancelled" }).status({ state: "created" }).add({ kind: "acked-cancel", life, asked, task });
  expect(invariantsOf(made)).not.toContain("I15");
});

test.each([goodSchedules(), missedAndEdited()])("schedules without a lie are accepted", (made) => {
  expect(invariantsOf(made).filter((invariant) => ["I21", "I22", "I23"].includes(invariant))).toEqual([]);
});

test("a graph without a lie is accepted", () => {
  expect(invariantsOf(goodGraph())).not.toContain("I26");
  expect(invariantsOf(retriedGraph())).not.toContain("I26");
  expect(invariantsOf(retriedBroadcast())).not.toContain("I26");
});

test("broadcasts without a lie are accepted", () => {
  for (const made of goodBroadcasts) expect(invariantsOf(made)).not.toContain("I51");
});

test("a history in which an id is used again is accepted by every checker", () => {
  const made = usedAgain().prints("first").prints("second", "token of the second").log(1, "second");
  expect(checkAll(made.build())).toEqual([]);
});

test("a child may be forgotten by the age of its root, though it ended by a clock that was ahead", () => {
  expect(invariantsOf(forgottenChild({ ageMs: 61_000, childEndedAt: 3_600_000 }))).not.toContain("I40");
});

test("a result of the forgotten task is no result of its successor", () => {
  const made = usedAgain();
  made.documents.set(task, { output: { token: "token 1" } });
  expect(invariantsOf(made)).toContain("I2");
});

test("for every checker there is a lie", () => {
  expect(new Set(Object.keys(allLies))).toEqual(new Set(checkers.map((each) => each.invariant)));
});

for (const [invariant, ways] of Object.entries(allLies)) {
  describe(`the checker of ${invariant}`, () => {
    for (const [name, tell] of Object.entries(ways)) {
      test(`sees ${name}`, () => {
        expect(invariantsOf(tell())).toContain(invariant);
      });
    }
  });
}

test("an overlap is accepted where the first worker had been out of reach", () => {
  const made = submitted().status({ state: "running", attempt: 1 }).execStart(1);
  made.conditions = { ...made.conditions, isCalm: false };
  made.add({ kind: "pause", node: worker, life: `${worker}#1` }).status({ state: "killed", attempt: 1, kills: 1 });
  made.attach({ id: "worker-2" as WorkerId, boot: "boot-2.1" as BootId });
  made.status({ state: "running", attempt: 2, kills: 1, host: "worker-2" as WorkerId, boot: "boot-2.1" as BootId });
  made.execStart(2, { worker: "worker-2" as WorkerId, boot: "boot-2.1" as BootId });
  expect(invariantsOf(made)).not.toContain("I10");
});
