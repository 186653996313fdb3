/** A worker whose machine cannot run tasks: it says so, takes nothing for growing pauses, and tries again. */
import { describe, expect, test } from "vitest";
import { machineFault } from "../../model/protocol.ts";
import { AgentScript, incarnation } from "../../proof/fakes/agentScript.ts";

const failure = { outcome: "aborted", error: { code: machineFault, message: "no descriptors" } } as const;

function lastItems(script: AgentScript) {
  return script.effects.findLast((effect) => effect.kind === "report")?.items;
}

/** Runs a task that the machine cannot start. */
function fail(script: AgentScript, name: string): string[] {
  script.assign([name]);
  script.reported();
  return script.end(name, failure);
}

/** Lets time pass with a master that answers and beats. @returns what was told in it */
function passAnswered(script: AgentScript, ms: number): string[] {
  const lines: string[] = [];
  for (let left = ms; left > 0; left -= 500) {
    script.beat();
    lines.push(...script.pass(Math.min(500, left)));
    script.reported();
  }
  return lines;
}

describe("a machine that cannot run tasks", () => {
  test("is told before the attempt is handed back, and again once the pause is over", () => {
    const script = AgentScript.attached();
    expect(fail(script, "t/1")).toEqual(["report trouble t/1:aborted(machine)"]);
    expect(lastItems(script)?.[0]).toEqual({ kind: "trouble", text: "no descriptors" });
    expect(script.agent.view().trouble).toBe("no descriptors");
    script.reported();
    expect(script.pass(1000)).toEqual(["+1000 report trouble"]);
    expect(lastItems(script)).toEqual([{ kind: "trouble", text: null }]);
    expect(script.agent.view().trouble).toBeNull();
  });

  test("hands back at once what was assigned before the leader knew", () => {
    const script = AgentScript.attached();
    fail(script, "t/1");
    script.reported();
    expect(script.assign(["u/1"])).toEqual(["report u/1:aborted(machine)"]);
  });

  test("pauses longer each time, and once for attempts that fail together", () => {
    const script = AgentScript.attached();
    const pauses: unknown[] = [];
    for (let round = 1; round <= 4; round += 1) {
      script.assign([`t${round}/1`, `u${round}/1`]);
      script.reported();
      script.end(`t${round}/1`, failure);
      script.end(`u${round}/1`, failure);
      const notice = script.effects.findLast((effect) => effect.kind === "notice");
      pauses.push(notice?.fields["pauseMs"]);
      script.reported();
      passAnswered(script, 20_000);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000]);
    passAnswered(script, 120_000);
    fail(script, "v/1");
    expect(script.effects.findLast((effect) => effect.kind === "notice")?.fields["pauseMs"]).toBe(1000);
  });

  test("is told to the next master when it attaches, and to one of protocol 1 not at all", () => {
    const script = AgentScript.attached({ settings: { troubleBaseMs: 60_000 } });
    fail(script, "t/1");
    script.reattach();
    expect(script.effects.findLast((effect) => effect.kind === "attach")?.state.trouble).toBe("no descriptors");
    const old = AgentScript.attached();
    old.reattach({ protocol: 1 });
    expect(fail(old, "t/1")).toEqual(["report t/1:aborted(machine)"]);
    old.reported();
    expect(old.pass(1000)).toEqual(["+1000 report"]);
  });

  test("whose disk refuses results takes none until it accepts them", () => {
    const script = AgentScript.attached();
    expect(script.tell({ kind: "disk", trouble: "disk full" })).toEqual(["report trouble"]);
    script.reported();
    expect(script.assign(["t/1"])).toEqual(["report t/1:aborted(machine)"]);
    script.reported();
    expect(script.tell({ kind: "disk", trouble: null })).toEqual(["report trouble"]);
    script.reported();
    expect(script.assign(["u/1"])).toEqual(["start u/1", "report u/1:started"]);
  });

  test("whose disk refuses the epoch of a new leader tells it what runs, and takes no task from it", () => {
    const script = AgentScript.attached();
    script.assign(["t/1"]);
    script.reported();
    expect(script.reattach({ epoch: 2 })).toEqual([`save epoch 2 of ${incarnation}`]);
    expect(script.tell({ kind: "disk", trouble: "disk full" })).toEqual(["open s2", "report trouble"]);
    script.reported("committed", 2);
    expect(script.agent.view()).toMatchObject({ phase: "attached", running: 1 });
    expect(script.assign(["u/1"], { epoch: 2 })).toEqual(["report u/1:aborted(machine)"]);
    script.reported("committed", 2);
    expect(script.assign(["v/1"])[0]).toBe("close: it spoke for epoch 1 in a session of epoch 2");
    script.pass(5000);
    expect(script.answer({ epoch: 2 })).toEqual([`save epoch 2 of ${incarnation}`, "open s3"]);
    expect(script.saveEpoch(2)).toEqual([]);
  });

  test("says again once a minute how it is: a report from before, which says otherwise, may come late", () => {
    const script = AgentScript.attached();
    passAnswered(script, 120_000);
    expect(script.effects.filter((effect) => effect.kind === "report").flatMap(({ items }) => items)).toEqual([]);
    script.tell({ kind: "disk", trouble: "disk full" });
    script.reported();
    script.tell({ kind: "disk", trouble: null });
    script.reported();
    const before = script.effects.length;
    passAnswered(script, 150_000);
    const said = script.effects.slice(before).flatMap((effect) => (effect.kind === "report" ? effect.items : []));
    expect(said).toEqual([
      { kind: "trouble", text: null },
      { kind: "trouble", text: null },
    ]);
  });
});
