/** How the Agent finds, keeps, doubts and leaves masters, each rule as a short script. */
import { describe, expect, test } from "vitest";
import type { BootId, Incarnation } from "../../model/ids.ts";
import { AgentScript, incarnation, resultOf } from "../../proof/fakes/agentScript.ts";

type Options = ConstructorParameters<typeof AgentScript>[0];

const twoMasters = { masters: ["http://a", "http://b"] };

/** A worker that has been attached for a while. */
function settledIn(options: Options = {}): AgentScript {
  const script = new AgentScript(options);
  script.attach();
  for (let beat = 0; beat < 3; beat += 1) {
    script.pass(1000);
    script.reported();
    script.beat();
  }
  return script;
}

function close(script: AgentScript): string[] {
  return script.tell({ kind: "stream-closed", link: script.link, reason: "reset" });
}

/** The pauses before each of `count` rounds over one master that refuses. */
function pauses(boot: string, count: number): number[] {
  const script = new AgentScript({ boot: boot as BootId });
  script.tell({ kind: "wake" });
  return Array.from({ length: count }, () => {
    script.refuse("unreachable");
    const pauseMs = (script.agent.nextWakeAt() ?? 0) - script.now;
    expect(script.pass(pauseMs)).toEqual([`+${pauseMs} attach http://a`]);
    return pauseMs;
  });
}

describe("looking for a master", () => {
  test("each is tried without a pause, then all of them again after one", () => {
    const script = new AgentScript(twoMasters);
    expect(script.tell({ kind: "wake" })).toEqual(["attach http://a"]);
    expect(script.refuse("unreachable")).toEqual(["attach http://b"]);
    expect(script.refuse("unreachable")).toEqual([]);
    expect(script.pass(75)).toEqual([expect.stringMatching("attach http://a")]);
  });

  test("pauses double from 50 ms to 2 s, more or less by half, and differ from boot to boot", () => {
    const waits = pauses("boot-1", 10);
    for (const [index, waitMs] of waits.entries()) {
      const fullMs = Math.min(2000, 50 * 2 ** index);
      expect(waitMs).toBeGreaterThanOrEqual(fullMs / 2);
      expect(waitMs).toBeLessThanOrEqual(fullMs * 1.5);
    }
    expect(pauses("boot-1", 10)).toEqual(waits);
    expect(pauses("boot-2", 10)).not.toEqual(waits);
  });

  test("while one is slow to answer the next one is asked too, and the first that leads is taken", () => {
    const script = new AgentScript({ masters: ["http://a", "http://b", "http://c"] });
    script.tell({ kind: "wake" });
    const [first] = [script.link];
    expect(script.pass(200)).toEqual(["+100 attach http://b", "+200 attach http://c"]);
    const third = script.link;
    script.link = first;
    expect(script.answer()).toEqual([`save epoch 1 of ${incarnation}`]);
    expect(script.saveEpoch(1)).toEqual(["open s1"]);
    script.link = third;
    expect(script.answer()).toEqual([]);
    expect(script.refuse("not-leader", "http://d")).toEqual([]);
    expect(script.agent.view()).toMatchObject({ phase: "attached", master: "http://a", session: "s1" });
  });

  test("a late answer of one that leads a later epoch ends what an older one has begun (I19)", () => {
    const script = new AgentScript(twoMasters);
    script.tell({ kind: "wake" });
    const [first] = [script.link];
    expect(script.pass(100)).toEqual(["+100 attach http://b"]);
    const second = script.link;
    script.link = first;
    script.answer({ epoch: 1 });
    script.saveEpoch(1);
    script.link = second;
    const lines = script.answer({ epoch: 2 });
    expect(lines[0]).toBe(`save epoch 2 of ${incarnation}`);
    expect(lines[1]).toMatch(/^close/);
    script.link = first;
    expect(script.assign(["t/1"])).toEqual([]);
    expect(script.pass(100).at(-1)).toMatch(/attach http:\/\/[ab], epoch 2$/);
  });

  test("a later epoch that shows while an older one is being written down takes its place (I19)", () => {
    const script = new AgentScript(twoMasters);
    script.tell({ kind: "wake" });
    const [first] = [script.link];
    script.pass(100);
    const second = script.link;
    script.link = first;
    expect(script.answer({ epoch: 1 })).toEqual([`save epoch 1 of ${incarnation}`]);
    script.link = second;
    expect(script.answer({ epoch: 2 })[0]).toBe(`save epoch 2 of ${incarnation}`);
    expect(script.saveEpoch(1)).toEqual([]);
    script.saveEpoch(2);
    expect(script.agent.view().phase).toBe("searching");
    expect(script.pass(150).length).toBeGreaterThan(0);
  });

  test("one that never answers does not keep it from asking the others again", () => {
    const script = new AgentScript(twoMasters);
    script.tell({ kind: "wake" });
    expect(script.pass(100)).toEqual(["+100 attach http://b"]);
    expect(script.refuse("not-leader")).toEqual([]);
    const lines = script.pass(75);
    expect(lines).toEqual([expect.stringMatching("attach http://b")]);
  });

  test("a try that was given up is not heard any more", () => {
    const script = new AgentScript();
    script.tell({ kind: "wake" });
    const late = script.link;
    expect(script.pass(600)).toEqual([expect.stringMatching("attach http://a")]);
    script.link = late;
    expect(script.answer()).toEqual([]);
    expect(script.agent.view().phase).toBe("searching");
  });

  test("a slow leader is given more time in each round", () => {
    const script = new AgentScript();
    script.tell({ kind: "wake" });
    const tries = script.pass(30_000).map((line) => Number(line.slice(1).split(" ")[0]));
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(gaps[0]).toBeGreaterThanOrEqual(1000);
    expect(gaps.at(-1)).toBeGreaterThanOrEqual(5000);
  });

  test("who is not the leader says who is, and that one is tried next, known or not", () => {
    const script = new AgentScript(twoMasters);
    script.tell({ kind: "wake" });
    expect(script.refuse("not-leader", "http://c")).toEqual(["attach http://c"]);
    script.answer();
    expect(script.saveEpoch(1)).toEqual(["open s1"]);
    expect(script.notices()).toEqual(["attached to a master"]);
  });

  test("two masters that point at each other do not make it spin", () => {
    const script = new AgentScript(twoMasters);
    script.tell({ kind: "wake" });
    expect(script.refuse("not-leader", "http://b")).toEqual(["attach http://b"]);
    expect(script.refuse("not-leader", "http://a")).toEqual(["attach http://a"]);
    expect(script.refuse("not-leader", "http://b")).toEqual([]);
  });

  test("what is no address is not followed", () => {
    const script = new AgentScript();
    script.tell({ kind: "wake" });
    expect(script.refuse("not-leader", "file:///etc/passwd")).toEqual([]);
  });

  test("another process with the same name is waited for, with one warning", () => {
    const script = new AgentScript();
    script.tell({ kind: "wake" });
    for (let round = 0; round < 5; round += 1) {
      script.refuse("worker-exists");
      script.pass((script.agent.nextWakeAt() ?? 0) - script.now);
    }
    expect(script.notices()).toEqual(["cannot attach to a master; trying on"]);
    expect(script.answer()).toEqual([`save epoch 1 of ${incarnation}`]);
  });
});

describe("losing a master", () => {
  test("a closed stream sends it looking at once, and nothing that runs is touched, however long it takes (I33)", () => {
    const script = settledIn();
    script.assign(["t/1"]);
    script.reported();
    expect(close(script)).toEqual(["close: its stream was closed: reset", "attach http://a, running t/1, epoch 1"]);
    const lines: string[] = [];
    for (let round = 0; round < 2000; round += 1) {
      script.refuse("unreachable");
      lines.push(...script.pass((script.agent.nextWakeAt() ?? 0) - script.now));
    }
    expect(lines.filter((line) => !line.includes("attach http://a, running t/1"))).toEqual([]);
    expect(script.answer()).toEqual(["open s2"]);
    expect(script.agent.view()).toMatchObject({ phase: "attached", running: 1 });
  });

  test("a silent stream counts as closed after three seconds, and that master is tried last", () => {
    const script = settledIn(twoMasters);
    const lines = script.pass(3000);
    expect(lines.slice(-2)).toEqual([
      "+3000 close: nothing was heard of it for 3000 ms",
      "+3000 attach http://b, epoch 1",
    ]);
  });

  test("any message on the stream is a sign of life", () => {
    const script = settledIn();
    for (let index = 0; index < 10; index += 1) {
      script.pass(2500);
      script.reported();
      script.beat();
    }
    expect(script.agent.view().session).toBe("s1");
  });

  test("while the machine was suspended nobody was silent", () => {
    const script = settledIn();
    script.now += 60_000;
    script.tell({ kind: "jumped", byMs: 60_000 });
    expect(script.agent.view().phase).toBe("attached");
  });

  test("a report that finds no master, or another session, ends this one", () => {
    for (const code of ["unreachable", "stale-session", "not-leader", "stale-epoch"]) {
      const script = settledIn();
      script.assign(["t/1"]);
      expect(script.reportFails(code)[0]).toMatch(/^close: a report failed/);
    }
  });

  test("a session that brings nothing is not begun again without a pause", () => {
    const script = new AgentScript();
    script.attach();
    expect(close(script)).toEqual(["close: its stream was closed: reset"]);
    expect(script.pass(24)).toEqual([]);
    expect(script.pass(60)).toEqual([expect.stringMatching("attach")]);
  });

  test("what comes from a connection that was given up is not heard", () => {
    const script = settledIn();
    script.assign(["t/1"]);
    const old = script.link;
    close(script);
    script.answer();
    const assignments = [
      { task: "u" as never, attempt: 1, assignedAt: 1, name: "u", kind: "sleep", input: null, timeoutMs: null },
    ] as const;
    expect(script.tell({ kind: "message", link: old, message: { kind: "assign", epoch: 1, assignments } })).toEqual([]);
    expect(script.tell({ kind: "stream-closed", link: old, reason: "late" })).toEqual([]);
    expect(script.tell({ kind: "reported", link: old, answer: { epoch: 1, verdicts: [] } })).toEqual([]);
    expect(script.agent.view()).toMatchObject({ phase: "attached", session: "s2" });
  });

  test("on coming back it ends what is no longer wanted, and reports nothing else of it", () => {
    const script = settledIn();
    script.assign(["t/1", "u/1"]);
    script.reported();
    close(script);
    expect(script.answer({ abort: [{ task: "t" as never, attempt: 1 }] })).toEqual(["open s2", "abort t/1"]);
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["report t/1:aborted"]);
  });

  test("on coming back it is told which of that is over, and which goes on elsewhere", () => {
    const script = settledIn();
    script.assign(["t/1", "u/1"]);
    script.reported();
    close(script);
    script.answer({
      abort: [
        { task: "t" as never, attempt: 1, reason: "cancelled" },
        { task: "u" as never, attempt: 1 },
      ],
    });
    expect(script.causes).toEqual(["t/1 cancelled", "u/1 killed"]);
  });

  test("what started between asking and the answer is told as started", () => {
    const script = settledIn({ capacity: 1 });
    script.assign(["t/1"]);
    script.abort("t/1");
    script.assign(["u/1"]);
    close(script);
    script.end("t/1", { outcome: "aborted" });
    expect(script.answer()).toEqual(["open s2", "report u/1:started t/1:aborted"]);
  });
});

describe("epochs", () => {
  test("nothing under a higher epoch is done before that epoch is on disk", () => {
    const script = new AgentScript({ outbox: [resultOf("t/1")] });
    script.tell({ kind: "wake" });
    const verdicts = [{ task: "t" as never, attempt: 1, verdict: "stale" as const }];
    expect(script.answer({ epoch: 7, verdicts })).toEqual([`save epoch 7 of ${incarnation}`]);
    expect(script.pass(10_000)).toEqual([]);
    expect(script.saveEpoch(7)).toEqual(["open s1", "forget t/1"]);
  });

  test("an epoch that is on disk already is obeyed at once", () => {
    const script = new AgentScript({ epochMax: 7, incarnation });
    expect(script.tell({ kind: "wake" })).toEqual(["attach http://a, epoch 7"]);
    expect(script.answer({ epoch: 7 })).toEqual(["open s1"]);
  });

  test("a leader of the past is refused, and another one looked for", () => {
    const script = new AgentScript({ ...twoMasters, epochMax: 7, incarnation });
    script.tell({ kind: "wake" });
    expect(script.answer({ epoch: 6 })).toEqual(["attach http://b, epoch 7"]);
  });

  test("another store has epochs of its own", () => {
    const script = new AgentScript({ epochMax: 7, incarnation: "store-0" as Incarnation });
    script.tell({ kind: "wake" });
    expect(script.answer({ epoch: 1 })).toEqual([`save epoch 1 of ${incarnation}`]);
    expect(script.notices()).toContain("the masters work on another store than before");
  });

  test("a message of another epoch than its session's has no effect but to end the session (I19)", () => {
    const script = settledIn();
    expect(script.assign(["t/1"], { epoch: 0 })[0]).toBe("close: it spoke for epoch 0 in a session of epoch 1");
    expect(script.agent.view()).toMatchObject({ running: 0, epoch: 1 });
  });

  test("a glimpse of a higher epoch is remembered: the lower one is not followed any more", () => {
    const script = settledIn();
    const lines = script.beat(3);
    expect(lines.slice(0, 2)).toEqual([
      `save epoch 3 of ${incarnation}`,
      "close: it spoke for epoch 3 in a session of epoch 1",
    ]);
    expect(script.answer({ epoch: 1 })).toEqual([]);
    script.pass(100);
    expect(script.answer({ epoch: 3 })).toEqual([`save epoch 3 of ${incarnation}`]);
    expect(script.saveEpoch(3)).toEqual(["open s3"]);
  });

  test("an answer to a report from an older epoch settles nothing", () => {
    const script = settledIn();
    script.assign(["t/1"]);
    script.reported();
    script.finish("t/1");
    script.reported("stale", 0);
    expect(script.agent.view()).toMatchObject({ phase: "searching", unsettled: 1 });
  });
});
