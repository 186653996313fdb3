/** The checks, shown evidence that lies: each promise must be seen broken when it is. */
import { describe, expect, test } from "vitest";
import type { TaskDocument } from "../../model/task.ts";
import type { LedgerFact } from "../cluster/attemptLines.ts";
import type { LeaderFact } from "../cluster/leaderLines.ts";
import type { Life } from "../cluster/lives.ts";
import type { CheckId } from "./check.ts";
import { demandCase } from "./check.ts";
import { checkAll } from "./checks.ts";
import type { AskedTask, Evidence, JournalChange, Marker } from "./evidence.ts";

/** Evidence that can be falsified. */
interface Story {
  asked: AskedTask[];
  documents: TaskDocument[];
  journal: JournalChange[];
  markers: Marker[];
  ledger: LedgerFact[];
  leaderFacts: LeaderFact[];
  lives: Life[];
  masters: Map<string, string>;
}

function life(process: string, number: number, startedAt: number, end: Partial<Life> = {}): Life {
  const role = process === "master" ? "master" : "worker";
  return { process, role, number, startedAt, readyAt: startedAt + 100, endedAt: null, cause: null, exit: null, ...end };
}

function fact(
  kind: "started" | "ended",
  at: number,
  task: string,
  attempt: number,
  process: string,
  number = 1,
): LedgerFact {
  return {
    kind,
    at,
    task,
    attempt,
    boot: `${process}.${number}`,
    outcome: kind === "ended" ? "success" : null,
    process,
    life: number,
  };
}

function change(
  seq: number,
  at: number,
  task: string,
  state: JournalChange["state"],
  more: Partial<JournalChange> = {},
): JournalChange {
  return {
    seq,
    epoch: at < 5000 ? 1 : 2,
    at,
    task,
    state,
    attempt: 0,
    failures: 0,
    kills: 0,
    host: null,
    boot: null,
    ...more,
  };
}

function on(process: string, attempt: number, kills = 0, number = 1): Partial<JournalChange> {
  return { attempt, kills, host: process, boot: `${process}.${number}` };
}

function document(id: string, attempt: number): TaskDocument {
  return { id, state: "success", attempt } as TaskDocument;
}

/**
 * An honest run. `a` simply runs. `b` loses worker-1 at 2000 and runs again on worker-2. `c` runs on worker-2 while the master
 * is down from 3000 to 5000, ends meanwhile, and is committed afterwards. `d` loses worker-3 together with the master. `e` runs
 * on worker-2 from before the master's death until after its return.
 */
function honest(): Story {
  return {
    asked: [
      { id: "a", sleepMs: 500, acknowledgedAt: 1000 },
      { id: "b", sleepMs: 1500, acknowledgedAt: 1000 },
      { id: "c", sleepMs: 1800, acknowledgedAt: 1000 },
      { id: "d", sleepMs: 900, acknowledgedAt: 1000 },
      { id: "e", sleepMs: 3000, acknowledgedAt: 1000 },
    ],
    documents: [document("a", 1), document("b", 2), document("c", 1), document("d", 2), document("e", 1)],
    journal: [
      change(1, 900, "a", "created"),
      change(1, 900, "b", "created"),
      change(1, 900, "c", "created"),
      change(1, 900, "d", "created"),
      change(1, 900, "e", "created"),
      change(2, 1000, "a", "running", on("worker-1", 1)),
      change(3, 1100, "b", "running", on("worker-1", 1)),
      change(4, 1600, "a", "success", on("worker-1", 1)),
      change(5, 2010, "b", "killed", on("worker-1", 1, 1)),
      change(6, 2020, "b", "running", on("worker-2", 2, 1)),
      change(7, 2400, "c", "running", on("worker-2", 1)),
      change(8, 2500, "d", "running", on("worker-3", 1)),
      change(8, 2500, "e", "running", on("worker-2", 1)),
      change(9, 5020, "b", "success", on("worker-2", 2, 1)),
      change(9, 5020, "c", "success", on("worker-2", 1)),
      change(10, 5600, "e", "success", on("worker-2", 1)),
      // Killed and run again within one entry: only `kills` and `attempt` show it.
      change(11, 6000, "d", "running", on("worker-3", 2, 1, 2)),
      change(12, 7000, "d", "success", on("worker-3", 2, 1, 2)),
    ],
    markers: [
      { seq: 1, epoch: 1, at: 100, address: "http://127.0.0.1:7070" },
      { seq: 9, epoch: 2, at: 4950, address: "http://127.0.0.1:7070" },
    ],
    ledger: [
      fact("started", 1010, "a", 1, "worker-1"),
      fact("ended", 1510, "a", 1, "worker-1"),
      fact("started", 1110, "b", 1, "worker-1"),
      fact("started", 2030, "b", 2, "worker-2"),
      fact("ended", 3530, "b", 2, "worker-2"),
      fact("started", 2410, "c", 1, "worker-2"),
      fact("ended", 4211, "c", 1, "worker-2"),
      fact("started", 2510, "d", 1, "worker-3"),
      fact("started", 2510, "e", 1, "worker-2"),
      fact("ended", 5511, "e", 1, "worker-2"),
      fact("started", 6010, "d", 2, "worker-3", 2),
      fact("ended", 6910, "d", 2, "worker-3", 2),
    ],
    leaderFacts: [
      { kind: "leading", at: 101, epoch: 1, process: "master", life: 1 },
      { kind: "attached", at: 150, epoch: 1, process: "worker-2", life: 1 },
      { kind: "leading", at: 4951, epoch: 2, process: "master", life: 2 },
      { kind: "attached", at: 5010, epoch: 2, process: "worker-2", life: 1 },
    ],
    lives: [
      life("master", 1, 0, { endedAt: 3000, cause: "killed", exit: "SIGKILL" }),
      life("master", 2, 4900, { endedAt: 8000, cause: "stopped", exit: "exit code 0" }),
      life("worker-1", 1, 0, { endedAt: 2000, cause: "killed", exit: "SIGKILL" }),
      life("worker-2", 1, 0, { endedAt: 8000, cause: "stopped", exit: "exit code 0" }),
      life("worker-3", 1, 0, { endedAt: 3000, cause: "killed", exit: "SIGKILL" }),
      life("worker-3", 2, 5500, { endedAt: 8000, cause: "stopped", exit: "exit code 0" }),
    ],
    masters: new Map([["http://127.0.0.1:7070", "master"]]),
  };
}

function broken(evidence: Evidence): CheckId[] {
  return checkAll(evidence)
    .filter((check) => !check.holds)
    .map((check) => check.id);
}

/** The honest run with one falsehood in it. */
function told(lie: (story: Story) => void): CheckId[] {
  const story = honest();
  lie(story);
  return broken(story);
}

function replace<Item>(list: Item[], which: (item: Item) => boolean, change: Partial<Item>): void {
  const index = list.findIndex(which);
  if (index < 0) throw new Error("The lie has nothing to change.");
  list[index] = { ...list[index]!, ...change };
}

function remove<Item>(list: Item[], which: (item: Item) => boolean): void {
  const index = list.findIndex(which);
  if (index < 0) throw new Error("The lie has nothing to remove.");
  list.splice(index, 1);
}

describe("an honest run", () => {
  test("may kill a worker in the very millisecond in which it began an attempt", () => {
    const lie = (story: Story) =>
      replace(story.ledger, ({ kind, task, attempt }) => kind === "started" && task === "b" && attempt === 1, {
        at: 2000,
      });
    expect(told(lie)).toEqual([]);
  });

  test("keeps every promise, each with cases to show for it", () => {
    const checks = checkAll(honest());
    expect(checks.flatMap((check) => check.problems)).toEqual([]);
    expect(checks.every((check) => check.cases > 0)).toBe(true);
  });

  test("counts what happened", () => {
    const seen = Object.fromEntries(checkAll(honest()).map((check) => [check.id, check.seen]));
    expect(seen).toMatchObject({
      "all-success": "5 of 5",
      "rerun-in-full": "2 killed and rerun",
      "ended-meanwhile": "2 ended meanwhile",
      "master-death": "1 ran on, 1 of them under the next leader",
      "one-leader": "2 epochs, each led by one master",
      "one-commit": "5 commits for 5 tasks",
      "nothing-lost": "5 acknowledged, 5 found",
    });
  });
});

describe("lies", () => {
  test("a task that is not success", () => {
    expect(told((story) => replace(story.documents, (task) => task.id === "a", { state: "killed" }))).toEqual([
      "all-success",
      "nothing-lost",
    ]);
  });

  test("an acknowledged task that the master does not know", () => {
    expect(told((story) => remove(story.documents, (task) => task.id === "a"))).toEqual([
      "all-success",
      "nothing-lost",
    ]);
  });

  test("an acknowledged task that the journal does not hold", () => {
    const seen = told((story) => {
      story.journal = story.journal.filter((entry) => entry.task !== "a");
    });
    expect(seen).toContain("nothing-lost");
  });

  test("a task that was never acknowledged may be missing from neither side but success", () => {
    const seen = told((story) => {
      story.asked.push({ id: "f", sleepMs: 1, acknowledgedAt: null });
    });
    expect(seen).toEqual(["all-success"]);
  });

  test("a second commit", () => {
    expect(told((story) => story.journal.push(change(13, 7100, "a", "success", on("worker-2", 1))))).toContain(
      "one-commit",
    );
  });

  test("a change after the success", () => {
    const seen = told((story) => story.journal.push(change(13, 7100, "a", "running", on("worker-2", 2))));
    expect(seen).toContain("legal-life");
  });

  test("a commit by another attempt than the document shows", () => {
    expect(told((story) => replace(story.documents, (task) => task.id === "b", { attempt: 3 }))).toEqual([
      "one-commit",
    ]);
  });

  test("a success that the journal never committed", () => {
    expect(told((story) => remove(story.journal, (entry) => entry.seq === 4))).toEqual(["one-commit"]);
  });

  test("a commit that no worker finished", () => {
    expect(
      told((story) =>
        replace(story.ledger, (line) => line.task === "a" && line.kind === "ended", { outcome: "aborted" }),
      ),
    ).toEqual(["one-commit"]);
  });

  test("a commit under the name of another boot", () => {
    expect(told((story) => replace(story.journal, (entry) => entry.seq === 4, { boot: "worker-2.1" }))).toEqual([
      "one-commit",
    ]);
  });

  test("a rerun that did not sleep its whole time", () => {
    expect(
      told((story) => replace(story.ledger, (line) => line.task === "b" && line.kind === "ended", { at: 2500 })),
    ).toEqual(["rerun-in-full"]);
  });

  test("a sleep that is too short by more than rounding", () => {
    expect(
      told((story) => replace(story.ledger, (line) => line.task === "a" && line.kind === "ended", { at: 1504 })),
    ).toEqual(["rerun-in-full"]);
    expect(
      told((story) => replace(story.ledger, (line) => line.task === "a" && line.kind === "ended", { at: 1507 })),
    ).toEqual([]);
  });

  test("a killed attempt that was committed after all", () => {
    const seen = told((story) =>
      replace(story.journal, (entry) => entry.task === "b" && entry.state === "success", {
        attempt: 1,
        boot: "worker-1.1",
      }),
    );
    expect(seen).toEqual(expect.arrayContaining(["rerun-in-full", "one-commit"]));
  });

  test("an attempt cut off that the journal never calls killed", () => {
    const seen = told((story) => {
      story.journal = story.journal.map((entry) => (entry.task === "b" ? { ...entry, kills: 0 } : entry));
    });
    expect(seen).toEqual(["rerun-in-full", "legal-life"]);
  });

  test("work that survived the master's death, thrown away and done again", () => {
    const seen = told((story) => {
      replace(story.journal, (entry) => entry.task === "c" && entry.state === "success", { state: "killed", kills: 1 });
      story.journal.push(
        change(9, 5020, "c", "running", on("worker-2", 2, 1)),
        change(13, 7100, "c", "success", on("worker-2", 2, 1)),
      );
      story.ledger.push(fact("started", 5110, "c", 2, "worker-2"), fact("ended", 6911, "c", 2, "worker-2"));
      replace(story.documents, (task) => task.id === "c", { attempt: 2 });
    });
    expect(seen).toEqual(["ended-meanwhile"]);
  });

  test("an attempt started twice", () => {
    expect(told((story) => story.ledger.push(fact("started", 2050, "b", 2, "worker-2")))).toEqual(["no-overlap"]);
  });

  test("an attempt that starts while the one before still runs", () => {
    expect(
      told((story) => replace(story.ledger, (line) => line.task === "b" && line.attempt === 2, { at: 1990 })),
    ).toEqual(expect.arrayContaining(["no-overlap"]));
  });

  test("an attempt that starts although the one before never ended", () => {
    const seen = told((story) =>
      replace(story.lives, (one) => one.process === "worker-1", { endedAt: null, cause: null }),
    );
    expect(seen).toEqual(["no-overlap"]);
  });

  test("an attempt that nobody assigned", () => {
    expect(
      told((story) =>
        story.ledger.push(fact("started", 7500, "a", 7, "worker-2"), fact("ended", 7600, "a", 7, "worker-2")),
      ),
    ).toEqual(["assigned-first"]);
  });

  test("an attempt on another boot than the assigned one", () => {
    expect(told((story) => replace(story.journal, (entry) => entry.seq === 2, { boot: "worker-2.1" }))).toEqual([
      "assigned-first",
    ]);
  });

  test("an attempt that started before its assignment", () => {
    expect(told((story) => replace(story.journal, (entry) => entry.seq === 2, { at: 1031 }))).toEqual([
      "assigned-first",
    ]);
  });

  test("an attempt number left out", () => {
    expect(told((story) => replace(story.journal, (entry) => entry.seq === 6, { attempt: 3 }))).toContain("legal-life");
  });

  test("an older leader that still writes", () => {
    expect(told((story) => replace(story.journal, (entry) => entry.seq === 12, { epoch: 1 }))).toEqual(["one-leader"]);
  });

  test("a process that died by itself", () => {
    expect(
      told((story) =>
        replace(story.lives, (one) => one.process === "worker-2", { cause: "itself", exit: "exit code 1" }),
      ),
    ).toEqual(["no-other-death"]);
  });

  test("a promise that was never put to the test fails where that is demanded", () => {
    expect(checkAll(honest()).map(demandCase)).toEqual(checkAll(honest()));
    const story = honest();
    const calm = {
      ...story,
      journal: story.journal.map((entry) => ({ ...entry, epoch: 1 })),
      markers: story.markers.slice(0, 1),
      leaderFacts: story.leaderFacts.filter(({ epoch }) => epoch === 1),
    };
    expect(broken(calm)).toEqual([]);
    const failed = checkAll(calm)
      .map(demandCase)
      .filter((check) => !check.holds);
    expect(failed.map((check) => check.id)).toEqual(["ended-meanwhile", "master-death"]);
    expect(failed[1]?.problems).toEqual([
      `Not tested: "The master's death touched no running task". Use more or longer tasks (--tasks, --max-sleep).`,
    ]);
  });
});
