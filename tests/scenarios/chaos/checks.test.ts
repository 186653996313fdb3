/** The checks are believed only after they were lied to: each lie must be seen, by the check that is there for it, and truth by none. */
import { describe, expect, test } from "vitest";
import type { Nonce } from "../../../src/model/ids.ts";
import { holds } from "../../../src/proof/chaos/check.ts";
import { checkAll } from "../../../src/proof/chaos/checks.ts";
import type { JournalEntry } from "../../../src/proof/chaos/evidence.ts";
import { figuresOf } from "../../../src/proof/chaos/figures.ts";
import { exec, fact, Story } from "./story.ts";

test("a true story breaks nothing, and every check has something to look at but where the story has no such thing", () => {
  const story = new Story();
  expect(story.broken()).toEqual([]);
  const untested = checkAll(story.evidence())
    .filter((check) => check.cases === 0)
    .map((check) => check.promise);
  expect(untested).toEqual(["Asking twice makes one task", "A cancelled task stays cancelled"]);
});

test("an attempt whose time was up on a worker that stood still may go on there beside the next one", () => {
  const story = new Story();
  story.facts[2] = fact(1100, "ended", 2, "b", 1, "failed");
  story.strikes.push({
    ...story.strikes[0]!,
    number: 3,
    kind: "pause",
    at: "worker-2",
    hit: ["worker-2"],
    endedAt: 1090,
  });
  expect(story.broken()).toEqual([]);
});

describe("a lie is seen:", () => {
  const lies: readonly (readonly [string, string, (story: Story) => void])[] = [
    ["an acknowledged task is gone", "No acknowledged task was lost", (story) => void story.documents.shift()],
    [
      "an acknowledged task was not found once",
      "No acknowledged task was lost",
      (story) =>
        void story.clients.push({ at: 300, session: "client-1", kind: "read-fail", task: "a", code: "not-found" }),
    ],
    [
      "a task never came to its end",
      "No acknowledged task was lost",
      (story) => void (story.documents[0]!.state = "running"),
    ],
    [
      "something was left to do",
      "Once the faults are over, all comes to its end",
      (story) => void story.left.push("1 task is running."),
    ],
    [
      "the same id stands for two contents",
      "Asking twice makes one task",
      (story) => {
        story.clients.push({
          at: 600,
          session: "client-1",
          kind: "submit-invoke",
          call: 3,
          key: "k",
          tasks: [{ id: "a", body: "C" }],
        });
        story.clients.push({ at: 610, session: "client-1", kind: "submit-ok", call: 3, ids: ["a"] });
      },
    ],
    [
      "a cancelled task was run to its end",
      "A cancelled task stays cancelled",
      (story) => void story.clients.push({ at: 600, session: "client-1", kind: "cancel-ok", task: "a" }),
    ],
    [
      "a client saw a task go back",
      "What a client has seen is true and stays true",
      (story) =>
        void story.clients.push({
          at: 1300,
          session: "client-1",
          kind: "read",
          task: "a",
          state: "running",
          attempt: 2,
        }),
    ],
    [
      "a client saw what was never committed",
      "What a client has seen is true and stays true",
      (story) =>
        void story.clients.push({ at: 700, session: "client-2", kind: "read", task: "a", state: "failed", attempt: 2 }),
    ],
    [
      "a call was answered with an internal error",
      "No call was answered with a failure of Outlast's own",
      (story) =>
        void story.clients.push({ at: 700, session: "client-1", kind: "submit-info", call: 9, code: "internal" }),
    ],
    [
      "a task was committed twice",
      "No task was committed twice",
      (story) => void Object.assign(story.status(10), { id: "a" }),
    ],
    ["a result is of nobody's making", "No result from nowhere", (story) => void story.facts.splice(4, 1)],
    [
      "a result was there before its end",
      "No result from nowhere",
      (story) => void (story.facts[4] = fact(1100, "ended", 2, "a", 2, "success")),
    ],
    [
      "a sleep was cut short",
      "No result from nowhere",
      (story) => void (story.facts[4] = fact(600, "ended", 2, "a", 2, "success")),
    ],
    ["a command never came to its end", "No result from nowhere", (story) => void story.executed.pop()],
    [
      "an attempt number is left out",
      "Attempts count 1, 2, 3 … without a gap",
      (story) => void (story.status(6).attempt = 3),
    ],
    [
      "a task left its final state",
      "Tasks take legal steps only",
      (story) => void (story.entries = [...story.entries, ...again(story, 6)]),
    ],
    [
      "a failure that was none",
      "Only a task's own failures count against it",
      (story) => void (story.facts[2] = fact(435, "ended", 2, "b", 1, "success")),
    ],
    [
      "a killed attempt counted after all",
      "What was given up never counts",
      (story) => void (story.status(9).attempt = 1),
    ],
    [
      "a start without an assignment",
      "Nothing runs that was not assigned before",
      (story) => void story.facts.push(fact(1300, "started", 2, "a", 3)),
    ],
    [
      "a start before its assignment",
      "Nothing runs that was not assigned before",
      (story) => {
        story.facts.splice(3, 1);
        story.facts.splice(2, 0, fact(405, "started", 2, "a", 2));
      },
    ],
    [
      "an attempt was started twice",
      "No attempt is started twice",
      (story) => void story.facts.push(fact(1300, "started", 2, "a", 2)),
    ],
    [
      "a command was started twice",
      "No attempt is started twice",
      (story) => void story.executed.push(exec(1100, "exec-start", 2)),
    ],
    [
      "a worker does not know of a command",
      "No attempt is started twice",
      (story) => void (story.executed[0] = { ...exec(130, "exec-start", 9) }),
    ],
    [
      "two attempts ran at once on workers in reach",
      "Two attempts run at once only where a worker was out of reach",
      (story) => {
        story.facts[2] = fact(1100, "ended", 2, "b", 1, "failed");
      },
    ],
    [
      "an attempt was given up with its leader",
      "The death of a master costs no attempt",
      (story) => {
        Object.assign(story.lives[2]!, { endedAt: 2000, cause: "stopped" });
        story.strikes.shift();
      },
    ],
    [
      "two leaders in one epoch",
      "One leader per epoch, nothing of an older one after it",
      (story) => change(story, 8, { nonce: "other" as Nonce }),
    ],
    [
      "an entry of an older epoch",
      "One leader per epoch, nothing of an older one after it",
      (story) => change(story, 8, { epoch: 1, nonce: "nonce-1" as Nonce }),
    ],
    [
      "an epoch without a marker",
      "One leader per epoch, nothing of an older one after it",
      (story) => change(story, 5, { writes: [] }),
    ],
    [
      "a broken chain",
      "All that is shown is what the journal adds up to",
      (story) => change(story, 8, { previousCrc: 1 }),
    ],
    [
      "a document unlike its journal",
      "All that is shown is what the journal adds up to",
      (story) => void (story.documents[1]!.attempt = 1),
    ],
    [
      "a standby with another memory",
      "All that is shown is what the journal adds up to",
      (story) => void (story.drifts = 1),
    ],
    [
      "a damaged store",
      "All that is shown is what the journal adds up to",
      (story) => void story.storeFindings.push("The store says: no."),
    ],
    [
      "a fault that did not fall",
      "Every fault was injected as planned",
      (story) => void story.failedFaults.push("Fault 1 (disk): no."),
    ],
    ["a full outbox", "Every result found its master", (story) => void story.outboxes.set("worker-2", 1)],
    [
      "a process that lives on",
      "No process outlives its attempt",
      (story) =>
        void (story.orphans = { isKnown: true, whileIdle: [{ pid: 1, command: "sleep", mark: "m" }], afterEnd: [] }),
    ],
    [
      "a process that died by itself",
      "No process died that was not killed by the run",
      (story) => void (story.lives[3]!.cause = "itself"),
    ],
  ];

  test.each(lies)("%s", (_, promise, lie) => {
    const story = new Story();
    lie(story);
    expect(story.broken()).toContain(promise);
  });

  test("a worker with too little room", () => {
    const evidence = { ...new Story().evidence(), capacity: 0 };
    expect(
      checkAll(evidence)
        .filter((check) => !holds(check))
        .map((check) => check.promise),
    ).toContain("No worker ever runs more than it has slots");
  });
});

test("what begins and ends within a millisecond is over", () => {
  const story = new Story();
  for (let count = 0; count < 10; count++) {
    story.facts.push(
      fact(1300, "started", 2, `brief-${count}`, 1),
      fact(1300, "ended", 2, `brief-${count}`, 1, "aborted"),
    );
  }
  expect(story.broken()).toEqual(["Nothing runs that was not assigned before"]);
});

test("the last lines of a worker that was shot may be missing", () => {
  const story = new Story();
  Object.assign(story.lives[3]!, { endedAt: 1220, cause: "killed" });
  story.facts.pop();
  expect(story.broken()).toEqual([]);
});

test("without a store to look into, only what clients can see is judged", () => {
  const checks = checkAll({ ...new Story().evidence(), entries: null });
  expect(checks.map((check) => check.promise)).not.toContain("No task was committed twice");
  expect(checks.filter((check) => !holds(check))).toEqual([]);
});

test("figures tell how long it took until the work went on", () => {
  const figures = figuresOf(new Story().evidence());
  expect(figures).toMatchObject({
    leaderKills: 1,
    masterKills: 1,
    workerKills: 1,
    epochs: 2,
    attempts: 4,
    killedAttempts: 1,
  });
  // The leader died at 330 and the worker at 300; `a` ran again at 440.
  expect(figures.leaderToLeader.every.all).toEqual([90]);
  expect(figures.leaderToStart.every.all).toEqual([110]);
  expect(figures.workerToStart.every.all).toEqual([140]);
});

function change(story: Story, index: number, more: Partial<JournalEntry>): void {
  story.entries[index] = { ...story.entries[index]!, ...more };
}

/** The entry once more, at the end of the chain. */
function again(story: Story, index: number): JournalEntry[] {
  const last = story.entries.at(-1)!;
  return [{ ...story.entries[index]!, seq: last.seq + 1, at: 1250, previousCrc: last.crc, crc: 1 }];
}
