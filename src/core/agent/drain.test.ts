/** How a worker leaves, as short scripts. */
import { describe, expect, test } from "vitest";
import { AgentScript } from "../../proof/fakes/agentScript.ts";

function attached(): AgentScript {
  const script = new AgentScript();
  script.attach();
  return script;
}

function drain(script: AgentScript, timeoutMs = 60_000): string[] {
  return script.tell({ kind: "drain", timeoutMs });
}

const bye = ["close: the worker has drained", "finish"];

describe("draining", () => {
  test("an idle worker says goodbye and ends", () => {
    const script = attached();
    expect(drain(script)).toEqual(["report draining bye"]);
    expect(script.reported()).toEqual(bye);
    expect(script.agent.nextWakeAt()).toBeNull();
    expect(script.tell({ kind: "wake" })).toEqual([]);
  });

  test("what runs is finished and delivered first, and nothing new is taken", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    expect(drain(script)).toEqual(["report draining"]);
    script.reported();
    expect(script.assign(["u/1"])).toEqual(["report u/1:aborted(machine)"]);
    expect(script.reported()).toEqual([]);
    expect(script.finish("t/1")).toEqual(["persist t/1 success", "report t/1:success"]);
    expect(script.reported()).toEqual(["forget t/1", "report bye"]);
    expect(script.reported()).toEqual(bye);
  });

  test("the leader can order it", () => {
    const script = attached();
    expect(script.hear({ kind: "drain", epoch: 1 })).toEqual(["report bye"]);
  });

  test("output that still waits to be sent is waited for", () => {
    const script = attached();
    script.tell({ kind: "logs", isPending: true });
    expect(drain(script)).toEqual(["report draining"]);
    script.reported();
    expect(script.tell({ kind: "logs", isPending: false })).toEqual(["report bye"]);
  });

  test("when its time is up, the rest is ended and given back, not failed", () => {
    const script = attached();
    script.assign(["t/1", "u/1"]);
    script.reported();
    drain(script, 500);
    script.reported();
    expect(script.pass(500)).toEqual(["+500 abort t/1", "+500 abort u/1"]);
    expect(script.end("t/1", { outcome: "aborted" })).toEqual(["report t/1:aborted"]);
    expect(script.end("u/1", { outcome: "aborted" })).toEqual([]);
    expect(script.reported()).toEqual(["report u/1:aborted bye"]);
    expect(script.reported()).toEqual(bye);
  });

  test("what still waits for a slot when its time is up is handed back as not begun", () => {
    const script = AgentScript.attached({ capacity: 1 });
    script.assign(["t/1"]);
    script.reported();
    // The leader has ended t/1 and given its slot away.
    script.abort("t/1");
    script.assign(["u/1"]);
    script.reported();
    drain(script, 500);
    script.reported();
    expect(script.pass(500)).toEqual(["+500 report u/1:aborted(machine)"]);
  });

  test("one that ends by itself in its last moment is a success all the same", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    drain(script, 500);
    script.reported();
    script.pass(500);
    expect(script.finish("t/1")).toEqual(["persist t/1 success", "report t/1:success bye"]);
  });

  test("without a master it waits for one to take the results, but not beyond its time", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.tell({ kind: "stream-closed", link: script.link, reason: "reset" });
    drain(script, 10_000);
    script.finish("t/1");
    expect(script.pass(9999)).not.toContain("finish");
    expect(script.pass(1).at(-1)).toBe("+1 finish");
    expect(script.agent.view()).toMatchObject({ phase: "finished", unsettled: 1 });
  });

  test("without a master and with nothing to deliver it just ends", () => {
    const script = new AgentScript();
    script.tell({ kind: "wake" });
    expect(drain(script)).toEqual(["finish"]);
  });

  test("a master that comes back learns of the drain from the attach", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.tell({ kind: "stream-closed", link: script.link, reason: "reset" });
    drain(script);
    expect(script.pass(100).at(-1)).toMatch(/attach http:\/\/a, running t\/1, draining, epoch 1$/);
    expect(script.answer()).toEqual(["open s2"]);
  });

  test("a drain that began while the attach was under way is told after it", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.tell({ kind: "stream-closed", link: script.link, reason: "reset" });
    script.pass(100);
    drain(script);
    expect(script.answer()).toEqual(["open s2", "report draining"]);
  });

  test("a goodbye that is not answered is not waited for long", () => {
    const script = attached();
    drain(script);
    expect(script.pass(2999)).toEqual([]);
    expect(script.pass(1).at(-1)).toBe("+1 finish");
  });

  test("a master that hangs up on a goodbye has heard it", () => {
    const script = attached();
    drain(script);
    expect(script.tell({ kind: "stream-closed", link: script.link, reason: "gone" })).toEqual(bye);
    expect(script.notices()).not.toContain("lost the master; what runs goes on");
  });

  test("a goodbye that fails ends it too", () => {
    const script = attached();
    drain(script);
    expect(script.reportFails("unreachable")).toEqual(bye);
  });

  test("asking again can only make it shorter", () => {
    const script = attached();
    script.assign(["t/1"]);
    script.reported();
    drain(script, 1000);
    drain(script, 50_000);
    script.reported();
    expect(script.pass(1000)).toContain("+1000 abort t/1");
  });
});
