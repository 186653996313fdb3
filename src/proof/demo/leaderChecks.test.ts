/** The promises about leaders, shown evidence that lies: a leader's death that was felt, a lead that nobody took, a lead that two had. */
import { describe, expect, test } from "vitest";
import type { LedgerFact } from "../cluster/attemptLines.ts";
import type { LeaderFact } from "../cluster/leaderLines.ts";
import type { Life } from "../cluster/lives.ts";
import type { Check, CheckId } from "./check.ts";
import type { Evidence, JournalChange, Marker } from "./evidence.ts";
import { historyOf } from "./history.ts";
import { endedMeanwhile, masterDeath, oneLeader, takeover } from "./leaderChecks.ts";
import { leaderDeaths, reigns } from "./reigns.ts";
import { Sight } from "./sight.ts";

interface Story extends Evidence {
  journal: JournalChange[];
  markers: Marker[];
  ledger: LedgerFact[];
  leaderFacts: LeaderFact[];
  lives: Life[];
}

const urls = { "master-1": "http://127.0.0.1:1", "master-2": "http://127.0.0.1:2" } as const;

function life(process: string, number: number, startedAt: number, end: Partial<Life> = {}): Life {
  const role = process.startsWith("master") ? "master" : "worker";
  return { process, role, number, startedAt, readyAt: startedAt + 100, endedAt: null, cause: null, exit: null, ...end };
}

function killedAt(endedAt: number): Partial<Life> {
  return { endedAt, cause: "killed", exit: "SIGKILL" };
}

function fact(kind: LedgerFact["kind"], at: number, task: string, process: string, attempt = 1): LedgerFact {
  const outcome = kind === "ended" ? "success" : null;
  return { kind, at, task, attempt, boot: `${process}.1`, outcome, process, life: 1 };
}

function change(seq: number, epoch: number, at: number, task: string, state: JournalChange["state"], attempt = 1) {
  return { seq, epoch, at, task, state, attempt, failures: 0, kills: 0, host: "worker-1", boot: "worker-1.1" };
}

/**
 * An honest run: master-1 leads and dies at 3000, master-2 takes over at 3080 and assigns the next task at 3150; worker-1 finds
 * it at 3110. `a` ran on worker-1 through all of this, `b` ended on it at 3040, `c` is the next task. Later master-1 stands by.
 */
function honest(): Story {
  return {
    asked: [],
    documents: [],
    journal: [
      change(2, 1, 2000, "a", "running"),
      change(2, 1, 2000, "b", "running"),
      // Told again by a worker that attached: the same attempt, so nothing was assigned here.
      change(4, 2, 3120, "a", "running"),
      change(5, 2, 3130, "b", "success"),
      change(6, 2, 3150, "c", "running"),
      change(7, 2, 4010, "a", "success"),
      change(8, 2, 4200, "c", "success"),
    ],
    markers: [
      { seq: 1, epoch: 1, at: 100, address: urls["master-1"] },
      { seq: 3, epoch: 2, at: 3080, address: urls["master-2"] },
    ],
    ledger: [
      fact("started", 2010, "a", "worker-1"),
      fact("started", 2010, "b", "worker-1"),
      fact("ended", 3040, "b", "worker-1"),
      fact("started", 3160, "c", "worker-1"),
      fact("ended", 4000, "a", "worker-1"),
      fact("ended", 4190, "c", "worker-1"),
    ],
    leaderFacts: [
      { kind: "leading", at: 101, epoch: 1, process: "master-1", life: 1 },
      { kind: "leading", at: 3081, epoch: 2, process: "master-2", life: 1 },
      { kind: "attached", at: 300, epoch: 1, process: "worker-1", life: 1 },
      { kind: "attached", at: 3110, epoch: 2, process: "worker-1", life: 1 },
    ],
    lives: [
      life("master-1", 1, 0, killedAt(3000)),
      life("master-2", 1, 0),
      life("worker-1", 1, 0),
      life("master-1", 2, 3500),
    ],
    masters: new Map(Object.entries(urls).map(([name, url]) => [url, name])),
  };
}

function checks(story: Story): Check[] {
  const sight = new Sight(story);
  const seen = [endedMeanwhile, masterDeath, takeover].map((check) => check(sight));
  return [...seen, oneLeader(sight, historyOf(story))];
}

/** The honest run with one falsehood in it: which promises are seen broken? */
function told(lie: (story: Story) => void): CheckId[] {
  const story = honest();
  lie(story);
  return checks(story)
    .filter((check) => !check.holds)
    .map((check) => check.id);
}

function replace<Item>(list: Item[], which: (item: Item) => boolean, change: Partial<Item>): void {
  const index = list.findIndex(which);
  if (index < 0) throw new Error("The lie has nothing to change.");
  list[index] = { ...list[index]!, ...change };
}

/** The next leader does not take up what runs: the worker is told to break it off, and it runs again. */
function throwAway(story: Story): void {
  replace(story.journal, (entry) => entry.task === "a" && entry.at === 3120, { state: "killed", kills: 1 });
  replace(story.ledger, (line) => line.task === "a" && line.kind === "ended", { at: 3125, outcome: "aborted" });
  replace(story.journal, (entry) => entry.task === "a" && entry.state === "success", { attempt: 2, kills: 1 });
}

describe("an honest run", () => {
  test("keeps every promise, each with cases to show for it", () => {
    expect(checks(honest()).flatMap((check) => check.problems)).toEqual([]);
    expect(Object.fromEntries(checks(honest()).map((check) => [check.id, check.seen]))).toEqual({
      "ended-meanwhile": "1 ended meanwhile",
      "master-death": "1 ran on, 1 of them under the next leader",
      takeover: "master-2 after 80 ms, next task assigned after 150 ms",
      "one-leader": "2 epochs, each led by one master",
    });
    expect(checks(honest()).every((check) => check.cases > 0)).toBe(true);
  });

  test("tells who led when, and what became of the lead", () => {
    const story = honest();
    expect(reigns(story).map(({ epoch, process, life }) => [epoch, process, life?.number])).toEqual([
      [1, "master-1", 1],
      [2, "master-2", 1],
    ]);
    const [death] = leaderDeaths(story);
    expect(death).toMatchObject({ at: 3000, hadStandby: true, assignedAt: 3150 });
  });
});

describe("a leader's death", () => {
  test("is felt by a task that the next leader does not take up", () => {
    expect(told(throwAway)).toEqual(["master-death"]);
  });

  test("is felt by it also if its worker was shot later", () => {
    const seen = told((story) => {
      throwAway(story);
      replace(story.lives, (one) => one.process === "worker-1", killedAt(6000));
    });
    expect(seen).toEqual(["master-death"]);
  });

  test("is not to blame for what was cut off when its worker was shot later", () => {
    const seen = told((story) => {
      replace(story.lives, (one) => one.process === "worker-1", killedAt(3900));
      story.ledger = story.ledger.filter((line) => line.task !== "a" || line.kind === "started");
      replace(story.journal, (entry) => entry.task === "a" && entry.state === "success", { state: "killed", kills: 1 });
    });
    expect(seen).toEqual([]);
  });

  test("costs a result that had to wait and was thrown away", () => {
    const seen = told((story) => {
      replace(story.journal, (entry) => entry.task === "b" && entry.state === "success", { state: "killed", kills: 1 });
    });
    expect(seen).toEqual(["ended-meanwhile"]);
  });

  test("shows no case where nothing ran when a worker found the next leader", () => {
    const story = honest();
    replace(story.ledger, (line) => line.task === "a" && line.kind === "ended", { at: 3100 });
    expect(checks(story).map((check) => [check.id, check.cases])).toContainEqual(["master-death", 0]);
  });
});

describe("a takeover", () => {
  test("that never came", () => {
    const seen = told((story) => {
      story.markers.pop();
      story.leaderFacts = story.leaderFacts.filter(({ epoch }) => epoch === 1);
      // Nobody led, so nobody wrote anything.
      story.journal = story.journal.filter(({ epoch }) => epoch === 1);
    });
    expect(seen).toEqual(["takeover"]);
  });

  test("is nobody's duty where no other master was ready", () => {
    const story = honest();
    replace(story.lives, (one) => one.process === "master-2", { readyAt: 3050 });
    const check = takeover(new Sight(story));
    expect(check).toMatchObject({ holds: true, cases: 0 });
  });

  test("is told with the shortest and the longest where there were several", () => {
    const story = honest();
    replace(story.lives, (one) => one.process === "master-2", killedAt(5000));
    story.markers.push({ seq: 9, epoch: 3, at: 5120, address: urls["master-1"] });
    expect(takeover(new Sight(story)).seen).toBe(
      "2 times, after 80 to 120 ms (median 80), next task assigned after 150 ms",
    );
  });
});

describe("one leader per epoch", () => {
  test("two that say they lead in one epoch", () => {
    expect(
      told((story) => story.leaderFacts.push({ kind: "leading", at: 3090, epoch: 2, process: "master-1", life: 1 })),
    ).toEqual(["one-leader"]);
  });

  test("an epoch that comes twice", () => {
    expect(told((story) => story.markers.push({ seq: 9, epoch: 2, at: 5000, address: urls["master-1"] }))).toEqual([
      "one-leader",
    ]);
  });

  test("a marker of a master that did not live", () => {
    expect(told((story) => replace(story.lives, (one) => one.process === "master-2", { startedAt: 3500 }))).toContain(
      "one-leader",
    );
  });

  test("a worker that goes back to an older leader", () => {
    expect(
      told((story) => story.leaderFacts.push({ kind: "attached", at: 3400, epoch: 1, process: "worker-1", life: 1 })),
    ).toEqual(["one-leader"]);
  });
});
