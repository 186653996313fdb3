/** The Agent's rules about attempts, reports and draining, each as a short script. */
import { describe, expect, test } from "vitest";
import type { BootId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { AgentScript, boot, incarnation, ref, resultOf } from "../../proof/fakes/agentScript.ts";

const attached = AgentScript.attached;

describe("taking assignments", () => {
  test("an assignment is started, told, ended, kept, reported and forgotten", () => {
    const script = attached();
    expect(script.assign(["t/1"])).toEqual(["start t/1", "report t/1:started"]);
    expect(script.reported()).toEqual([]);
    expect(script.end("t/1")).toEqual(["persist t/1 success"]);
    expect(script.agent.view()).toMatchObject({ running: 0, unsettled: 1 });
    expect(script.persist("t/1")).toEqual(["report t/1:success"]);
    expect(script.reported()).toEqual(["forget t/1"]);
    expect(script.agent.view()).toMatchObject({ running: 0, waiting: 0, unsettled: 0 });
  });

  test("the same assignment twice is started once (I9)", () => {
    const script = attached();
    expect(script.assign(["t/1", "t/1"])).toEqual(["start t/1", "report t/1:started"]);
    expect(script.assign(["t/1"])).toEqual([]);
    expect(script.notices()).toEqual(["attached to a master"]);
  });

  test("an assignment whose result waits is not started again; its result is sent again in the next session", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    script.finish("t/1");
    expect(script.assign(["t/1"])).toEqual([]);
    expect(script.reattach()).toEqual(["open s2", "report t/1:success"]);
  });

  test("an attempt that was settled is never started again", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    script.finish("t/1");
    script.reported();
    expect(script.assign(["t/1"])).toEqual(["report t/1:aborted(machine)"]);
    expect(script.notices()).toContain("refused an attempt that is over here");
    expect(script.reported("stale")).toEqual([]);
    expect(script.agent.view()).toMatchObject({ running: 0, unsettled: 0 });
  });

  test("what is refused is told once, so that its next attempt may come", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    script.finish("t/1");
    script.reported();
    expect(script.assign(["t/1", "t/1"])).toEqual(["report t/1:aborted(machine)"]);
    script.reported();
    expect(script.assign(["t/2"])).toEqual(["start t/2", "report t/2:started"]);
  });

  test("an attempt lower than one that was seen is refused, a higher one is not", () => {
    const script = attached();
    script.assign(["t/3"]);
    script.reported();
    expect(script.assign(["t/2"])).toEqual(["report t/2:aborted(machine)"]);
    script.reported("stale");
    expect(script.assign(["t/4"])).toEqual(["start t/4", "report t/4:started"]);
  });

  test("an abort that overtook its assignment is answered, and the assignment is refused when it comes", () => {
    const script = attached();
    expect(script.abort("t/1")).toEqual(["report t/1:aborted(machine)"]);
    expect(script.assign(["t/1"])).toEqual([]);
    expect(script.reported("stale")).toEqual([]);
    expect(script.assign(["t/1"])).toEqual(["report t/1:aborted(machine)"]);
    expect(script.agent.view()).toMatchObject({ phase: "attached", running: 0 });
  });
});

describe("slots", () => {
  test("what is assigned while an aborted attempt dies waits for its slot (I30)", () => {
    const script = attached({ capacity: 1 });
    script.assign(["t/1"]);
    script.reported();
    expect(script.abort("t/1")).toEqual(["abort t/1"]);
    expect(script.assign(["u/1"])).toEqual([]);
    expect(script.agent.view()).toMatchObject({ running: 1, waiting: 1 });
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["start u/1", "report u/1:started t/1:aborted"]);
  });

  test("what waits for a slot counts as running on attaching, and starts without a master", () => {
    const script = attached({ capacity: 1 });
    script.assign(["t/1"]);
    script.abort("t/1");
    script.assign(["u/1"]);
    const lines = script.tell({ kind: "stream-closed", link: script.link, reason: "reset" });
    expect(lines).toEqual(["close: its stream was closed: reset"]);
    expect(script.pass(100).at(-1)).toMatch(/attach http:\/\/a, running t\/1\+u\/1, epoch 1$/);
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["start u/1"]);
  });

  test("one that is aborted while it waits never starts", () => {
    const script = attached({ capacity: 1 });
    script.assign(["t/1"]);
    script.abort("t/1");
    script.assign(["u/1"]);
    script.reported();
    expect(script.abort("u/1")).toEqual(["report u/1:aborted(machine)"]);
    script.reported("stale");
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["report t/1:aborted"]);
  });

  test("more than a second round of slots is given back at once", () => {
    const script = attached({ capacity: 1 });
    script.assign(["t/1"]);
    script.reported();
    expect(script.assign(["u/1", "v/1"])).toEqual(["report v/1:aborted(machine)"]);
  });
});

describe("ending attempts", () => {
  test("a time-out aborts, and fails the attempt with its own code", () => {
    const script = attached();
    script.assign(["t/1"], { timeoutMs: 500 });
    script.reported();
    expect(script.pass(499)).toEqual([]);
    expect(script.pass(1)).toEqual(["+1 abort t/1"]);
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["persist t/1 failed(timeout)"]);
  });

  test("a time-out counts from the start, and not while the machine was suspended", () => {
    const script = attached({ capacity: 1 });
    script.assign(["t/1"], { timeoutMs: 500 });
    script.reported();
    script.now += 10_000;
    expect(script.tell({ kind: "jumped", byMs: 10_000 })).not.toContain("abort t/1");
    expect(script.pass(500)).toContain("+500 abort t/1");
  });

  test("an attempt that ends by itself just before it would be killed keeps its result", () => {
    const script = attached();
    script.assign(["t/1"], { timeoutMs: 500 });
    script.reported();
    script.pass(500);
    expect(script.end("t/1")).toEqual(["persist t/1 success"]);
  });

  test("a cancelled attempt is reported as aborted, without the disk, until it is settled", () => {
    const script = attached();
    script.assign(["t/1"], { timeoutMs: 500 });
    script.reported();
    script.abort("t/1");
    expect(script.abort("t/1")).toEqual([]);
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["report t/1:aborted"]);
    expect(script.reattach()).toEqual(["open s2", "report t/1:aborted"]);
    expect(script.reported("stale")).toEqual([]);
    expect(script.agent.view().unsettled).toBe(0);
  });

  test("what is dying already is not told again to end when its time is up", () => {
    const script = attached();
    script.assign(["t/1"], { timeoutMs: 500 });
    script.reported();
    script.abort("t/1");
    expect(script.pass(600)).toEqual([]);
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["report t/1:aborted"]);
  });

  test("cancelling what is dying of its time-out makes it the leader's decision", () => {
    const script = attached();
    script.assign(["t/1"], { timeoutMs: 500 });
    script.reported();
    script.pass(500);
    expect(script.abort("t/1")).toEqual([]);
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["report t/1:aborted"]);
  });

  test("what a master would refuse for its size fails here instead, or is cut", () => {
    const script = attached();
    script.assign(["t/1", "u/1", "v/1"]);
    expect(script.end("t/1", { output: "x".repeat(limits.resultBytesMax) })).toContain(
      "persist t/1 failed(output-too-large)",
    );
    expect(script.end("u/1", { output: "ä".repeat(limits.resultBytesMax / 2 - 1) })).toContain("persist u/1 success");
    script.end("v/1", { outcome: "failed", error: { code: "exit", message: "y".repeat(10_000) } });
    const kept = script.effects.findLast((effect) => effect.kind === "persist");
    expect(kept?.result.error?.message).toHaveLength(limits.errorMessageLengthMax);
  });

  test("an end without a start is a broken promise of the shell", () => {
    expect(() => attached().end("t/1")).toThrow("ended without running here");
  });
});

describe("reporting", () => {
  test("one report at a time; what came meanwhile goes with the next", () => {
    const script = attached({ capacity: 9 });
    expect(script.assign(["a/1"])).toEqual(["start a/1", "report a/1:started"]);
    expect(script.assign(["b/1", "c/1"])).toEqual(["start b/1", "start c/1"]);
    expect(script.finish("a/1")).toEqual(["persist a/1 success"]);
    expect(script.reported()).toEqual(["report b/1:started c/1:started a/1:success"]);
  });

  test("a start waits a moment, and is not told at all if the result is there by then", () => {
    const script = attached({ settings: { startedWaitMs: 25 } });
    expect(script.assign(["t/1", "u/1"])).toEqual(["start t/1", "start u/1"]);
    expect(script.finish("t/1")).toEqual(["persist t/1 success", "report t/1:success"]);
    script.reported();
    expect(script.pass(25)).toEqual(["+25 report u/1:started"]);
  });

  test("a start that is not yet told is dropped as soon as its attempt ends", () => {
    const script = attached({ settings: { startedWaitMs: 25 } });
    script.assign(["t/1"]);
    script.end("t/1");
    expect(script.pass(30)).toEqual([]);
  });

  test("what an attach tells of as running is not told as started again", () => {
    const script = attached({ settings: { startedWaitMs: 25 } });
    script.assign(["t/1"]);
    expect(script.reattach()).toEqual(["open s2"]);
    expect(script.pass(100)).toEqual([]);
  });

  test("while a report waits for its answer, the worker goes on saying that it lives", () => {
    const script = attached();
    script.assign(["t/1"]);
    expect(script.finish("t/1")).toEqual(["persist t/1 success"]);
    const lines: string[] = [];
    for (let beat = 0; beat < 3; beat += 1) {
      lines.push(...script.pass(1000));
      script.beat();
    }
    expect(lines).toEqual(["+1000 beat", "+1000 beat", "+1000 beat"]);
    expect(script.beatAnswered()).toEqual([]);
    expect(script.reported()).toEqual(["report t/1:success"]);
  });

  test.each([
    ["timeout", []],
    ["unavailable", []],
    ["stale-session", ["close: a beat failed: stale-session: stale-session", "attach http://a, running t/1, epoch 1"]],
  ])("a beat that fails with %s", (code, lines) => {
    const script = attached();
    script.assign(["t/1"]);
    script.pass(1000);
    expect(script.beatFails(code)).toEqual(lines);
  });

  test("a beat that is answered for a later epoch ends the session", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.pass(1000);
    expect(script.beatAnswered(2)[0]).toBe("save epoch 2 of store-1");
    expect(script.agent.view().phase).toBe("searching");
  });

  test("with nothing to tell, a bare report goes out every heartbeat while something runs", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    const lines: string[] = [];
    for (let beat = 0; beat < 3; beat += 1) {
      lines.push(...script.pass(1000));
      script.reported();
      script.beat();
    }
    expect(lines).toEqual(["+1000 report", "+1000 report", "+1000 report"]);
  });

  test("a worker that runs nothing says that it lives with every other heartbeat, before anybody doubts it", () => {
    const script = attached();
    expect(script.pass(1000)).toEqual([]);
    script.beat();
    expect(script.pass(1000)).toEqual(["+1000 report"]);
    expect(defaults.idleBeats * defaults.heartbeatMs).toBeLessThan(defaults.suspectMs);
    // Its first task does not wait for that.
    script.reported();
    script.pass(1500);
    expect(script.assign(["t/1"])).toContain("start t/1");
  });

  test("the leader sets the rhythm", () => {
    const script = new AgentScript();
    script.attach({ heartbeatMs: 200 });
    expect(script.pass(400)).toEqual(["+400 report"]);
  });

  test("no report holds more items than a master takes", () => {
    const script = attached({ capacity: 10_000 });
    const names = Array.from({ length: 6000 }, (_, index) => `t${index}/1`);
    script.assign(names);
    for (const name of names) script.end(name);
    script.persist(...names);
    script.reported();
    const sizes = [0, 1].map(() => {
      const report = script.effects.findLast((effect) => effect.kind === "report");
      script.reported();
      return report?.items.length;
    });
    expect(sizes).toEqual([limits.reportItemsMax - 1, 6000 - limits.reportItemsMax + 1]);
    expect(script.agent.view().unsettled).toBe(0);
  });

  test("no report holds more bytes than a master takes", () => {
    const script = attached({ capacity: 100 });
    const names = Array.from({ length: 100 }, (_, index) => `t${index}/1`);
    script.assign(names);
    for (const name of names) script.end(name, { output: "x".repeat(200_000) });
    script.persist(...names);
    for (let index = 0; index < 4; index += 1) {
      script.reported();
      const report = script.effects.findLast((effect) => effect.kind === "report");
      expect(JSON.stringify(report?.items).length).toBeLessThan(limits.reportBodyBytesMax);
    }
    expect(script.agent.view().unsettled).toBe(0);
  });

  test("a master that cannot commit is asked again later, in the same session", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.finish("t/1");
    script.reported();
    expect(script.reportFails("unavailable")).toEqual([]);
    expect(script.pass(100)).toEqual(["+100 report t/1:success"]);
    expect(script.reportFails("unavailable")).toEqual([]);
    expect(script.pass(199)).toEqual([]);
    expect(script.pass(1)).toEqual(["+1 report t/1:success"]);
    expect(script.reported()).toEqual(["forget t/1"]);
  });

  test("a start that did not get through is told again, unless its attempt has ended", () => {
    const script = attached();
    script.assign(["t/1", "u/1"]);
    script.end("t/1");
    script.reportFails("unavailable");
    expect(script.pass(100)).toEqual(["+100 report u/1:started"]);
  });

  test("results of an earlier boot are reported as that boot's", () => {
    const earlier = "boot-0" as BootId;
    const script = new AgentScript({ outbox: [resultOf("t/1", { boot: earlier })], epochMax: 1, incarnation });
    expect(script.tell({ kind: "wake" })).toEqual(["attach http://a, outbox t/1, epoch 1"]);
    expect(script.answer()).toEqual(["open s1", "report t/1:success"]);
    const report = script.effects.findLast((effect) => effect.kind === "report");
    expect(report?.items[0]).toMatchObject({ boot: earlier });
    expect(script.reported("stale")).toEqual(["forget t/1"]);
  });

  test("a leader is told when the process of a waiting result ended, unless there never was one", () => {
    const neverBegan = { outcome: "aborted", error: { code: "machine", message: "no room" } } as const;
    const outbox = [resultOf("t/1", { endedAt: 77 }), resultOf("u/1", neverBegan)];
    const script = new AgentScript({ outbox, epochMax: 1, incarnation });
    script.tell({ kind: "wake" });
    const attach = script.effects.findLast((effect) => effect.kind === "attach");
    expect(attach?.state.outbox).toEqual([
      { ...ref("t/1"), assignedAt: 1, endedAt: 77 },
      { ...ref("u/1"), assignedAt: 1 },
    ]);
  });

  test("verdicts that come with the attach settle what they name; the rest is sent again", () => {
    const outbox = [resultOf("t/1"), resultOf("u/1")];
    const script = new AgentScript({ outbox, epochMax: 1, incarnation });
    script.tell({ kind: "wake" });
    const verdicts = [{ ...ref("t/1"), verdict: "committed" as const }];
    expect(script.answer({ verdicts })).toEqual(["open s1", "forget t/1", "report u/1:success"]);
  });

  test("a verdict on a result that is still on its way to the disk holds: it is forgotten once it is there", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    script.end("t/1");
    expect(script.reattach({ verdicts: [{ ...ref("t/1"), verdict: "stale" }] })).toEqual(["open s2"]);
    expect(script.persist("t/1")).toEqual(["forget t/1"]);
    expect(script.agent.view().unsettled).toBe(0);
  });

  test("an answer without a verdict on each result is no answer", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    script.finish("t/1");
    script.tell({ kind: "reported", link: script.link, answer: { epoch: 1, verdicts: [] } });
    expect(script.agent.view()).toMatchObject({ phase: "searching", unsettled: 1 });
  });
});

test("the boot that ran an attempt stands in its result", () => {
  const script = attached();
  script.assign(["t/1"]);
  script.end("t/1");
  expect(script.effects.findLast((effect) => effect.kind === "persist")?.result.boot).toBe(boot);
});
