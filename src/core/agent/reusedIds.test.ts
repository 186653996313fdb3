/** An id is used again once its task is forgotten, and the worker still has something of the earlier task. */
import { describe, expect, test } from "vitest";
import { AgentScript, ref } from "../../proof/fakes/agentScript.ts";

describe("a later task with the same id", () => {
  test("runs, although an attempt of the same name is over here", () => {
    const script = AgentScript.attached();
    script.assign(["t/2"]);
    script.reported();
    script.finish("t/2");
    script.reported();
    expect(script.assign(["t/1@7"])).toEqual(["start t/1", "report t/1:started"]);
    script.reported();
    script.finish("t/1");
    expect(script.effects.findLast((effect) => effect.kind === "report")?.items).toMatchObject([{ assignedAt: 7 }]);
  });

  test("is given back while an attempt of the same name is still here", () => {
    const script = AgentScript.attached();
    script.assign(["t/1"]);
    script.reported();
    expect(script.assign(["t/1@7"])).toEqual(["report t/1:aborted(machine)"]);
    // It is not counted against the task.
    expect(script.effects.findLast((effect) => effect.kind === "report")?.items).toMatchObject([
      { assignedAt: 7, error: { code: "machine" } },
    ]);
    script.reported();
    expect(script.agent.view()).toMatchObject({ running: 1, unsettled: 0 });
    script.finish("t/1");
    // The answer to it is lost; its task is forgotten, and the id is used again.
    expect(script.assign(["t/1@9"])).toEqual([]);
    expect(script.reportFails("timeout")).toContain("close: a report failed: timeout: timeout");
    script.pass(1_000);
    script.answer({ verdicts: [{ ...ref("t/1"), verdict: "stale" }] });
    expect(script.agent.view()).toMatchObject({ running: 0, unsettled: 0 });
    expect(script.assign(["t/1@9"])).toEqual(["start t/1", "report t/1:started"]);
  });

  test("that is cancelled before it arrives is reported as ended, and its assignment is refused then", () => {
    const script = AgentScript.attached();
    script.assign(["t/1"]);
    script.reported();
    script.finish("t/1");
    script.reported();
    expect(script.abort("t/1@7")).toEqual(["report t/1:aborted(machine)"]);
    expect(script.effects.findLast((effect) => effect.kind === "report")?.items).toMatchObject([{ assignedAt: 7 }]);
    script.reported("stale");
    expect(script.assign(["t/1@7"])).toEqual(["report t/1:aborted(machine)"]);
  });

  test("that is cancelled before it arrives leaves the attempt alone that runs under its name", () => {
    const script = AgentScript.attached();
    script.assign(["t/1"]);
    script.reported();
    expect(script.abort("t/1@7")).toEqual(["report t/1:aborted(machine)"]);
    // Its own result waits while the other one is decided upon.
    script.finish("t/1");
    expect(script.reported("stale")).toEqual(["report t/1:success"]);
    script.reported();
    expect(script.agent.view()).toMatchObject({ running: 0, unsettled: 0 });
  });
});
