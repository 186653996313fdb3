/** A worker that reaches the leader through a standby only: how it gets there, and how it gets away again. */
import { describe, expect, test } from "vitest";
import { defaults } from "../../model/limits.ts";
import { AgentScript, incarnation } from "../../proof/fakes/agentScript.ts";

const standby = { masters: ["http://a", "http://b"] };

/** A worker that `http://b` relays to the leader `http://a`. */
function relayed(): AgentScript {
  const script = new AgentScript(standby);
  script.tell({ kind: "wake" });
  script.refuse("unreachable");
  script.refuse("not-leader", "http://a");
  script.refuse("unreachable");
  script.answer();
  script.saveEpoch(1);
  return script;
}

/** Beats and answers for this long, or until the worker asks for another master; what it did beyond reporting. */
function live(script: AgentScript, ms: number): string[] {
  for (let passedMs = 0; passedMs < ms; passedMs += 50) {
    const lines = script.pass(50);
    if (lines.some((line) => line.includes("attach"))) return lines;
    script.beat();
    script.reported();
  }
  return [];
}

/** Time passes with beats from above, and no report is answered but by `failure`, until the worker asks for another master. */
function passUnanswered(script: AgentScript, failure: string, msMax: number): string[] {
  const lines: string[] = [];
  for (let passedMs = 0; passedMs < msMax && !lines.some((line) => line.includes("attach")); passedMs += 100) {
    lines.push(...script.pass(100));
    script.beat();
    if (lines.at(-1)?.includes("report") === true) lines.push(...script.reportFails(failure));
  }
  return lines;
}

describe("a leader that cannot be reached from here", () => {
  test("is reached through a standby that names it, which is asked once a round", () => {
    const script = new AgentScript(standby);
    script.tell({ kind: "wake" });
    expect(script.refuse("unreachable")).toEqual(["attach http://b"]);
    expect(script.refuse("not-leader", "http://a")).toEqual(["attach http://a"]);
    expect(script.refuse("unreachable")).toEqual(["attach http://b, relayed"]);
    expect(script.answer()).toEqual([`save epoch 1 of ${incarnation}`]);
    expect(script.saveEpoch(1)).toEqual(["open s1"]);
    expect(script.agent.view()).toMatchObject({ phase: "attached", master: "http://b" });
  });

  test("is asked for again directly when the standby cannot reach it either", () => {
    const script = new AgentScript(standby);
    script.tell({ kind: "wake" });
    script.refuse("unreachable");
    script.refuse("not-leader", "http://a");
    script.refuse("unreachable");
    expect(script.refuse("unavailable", "http://a")).toEqual([]);
    expect(script.pass(150)[0]).toMatch(/attach http:\/\/[ab]$/);
  });

  test("does not have to be given up for good before the standby is asked: silence will do", () => {
    const script = new AgentScript(standby);
    script.tell({ kind: "wake" });
    expect(script.pass(100)).toEqual(["+100 attach http://b"]);
    script.refuse("not-leader", "http://a");
    const lines: string[] = [];
    while (script.now < 1_002_000 && lines.at(-1)?.endsWith("relayed") !== true) {
      lines.push(...script.pass(10));
      if (lines.at(-1)?.endsWith("attach http://b") === true) lines.push(...script.refuse("not-leader", "http://a"));
    }
    expect(lines.at(-1)).toMatch(/attach http:\/\/b, relayed$/);
    // Not long after the time that the leader had to answer.
    expect(script.now - 1_000_500).toBeLessThanOrEqual(500);
  });

  test("is tried directly first after a relayed session has ended", () => {
    const script = relayed();
    script.pass(1000);
    script.reported();
    script.beat();
    expect(script.tell({ kind: "stream-closed", link: script.link, reason: "reset" }).at(-1)).toBe(
      "attach http://b, epoch 1",
    );
    expect(script.refuse("not-leader", "http://a")).toEqual(["attach http://a, epoch 1"]);
  });

  test("that is known to nobody is not asked for through anybody", () => {
    const script = new AgentScript(standby);
    script.tell({ kind: "wake" });
    script.refuse("unreachable");
    expect(script.refuse("not-leader")).toEqual([]);
    expect(script.pass(75)).toEqual([expect.stringMatching(/attach http:\/\/[ab]$/)]);
  });
});

describe("a way that carries one direction only", () => {
  test.each(["timeout", "too-slow"])(
    "is left for another one after a report that did not get through (%s), though the master is still heard",
    (code) => {
      const script = new AgentScript(standby);
      script.attach();
      script.assign(["t/1"]);
      live(script, 2 * defaults.heartbeatMs);
      script.finish("t/1");
      const lines = script.reportFails(code);
      expect(lines.at(-1)).toMatch(/^attach http:\/\/b, outbox t\/1/);
    },
  );

  test("is left when the standby has not got a report through for as long as a master may be silent", () => {
    const script = relayed();
    const lines = passUnanswered(script, "unavailable", 2 * defaults.suspectMs);
    expect(lines.at(-1)).toMatch(/attach http:\/\/a, epoch 1$/);
    expect(script.now - 1_000_000).toBeGreaterThanOrEqual(defaults.suspectMs);
  });

  test("is kept while beats get through beside a report that does not", () => {
    const script = relayed();
    script.assign(["t/1"]);
    for (let passedMs = 0; passedMs < 3 * defaults.suspectMs; passedMs += defaults.heartbeatMs) {
      expect(script.pass(defaults.heartbeatMs)).toEqual([`+${defaults.heartbeatMs} beat`]);
      script.beat();
      script.beatAnswered();
    }
    expect(script.reportFails("unavailable")).toEqual([]);
    expect(script.agent.view().phase).toBe("attached");
  });

  test("is left when beats do not get through either", () => {
    const script = relayed();
    script.assign(["t/1"]);
    const lines: string[] = [];
    for (let passedMs = 0; passedMs < 2 * defaults.suspectMs && lines.length === 0; passedMs += 500) {
      script.pass(500);
      script.beat();
      lines.push(...script.beatFails("unavailable"));
    }
    expect(lines.at(-1)).toMatch(/attach http:\/\/a, running t\/1, epoch 1$/);
  });

  test("is kept while the leader itself says that it cannot commit", () => {
    const script = new AgentScript(standby);
    script.attach();
    expect(passUnanswered(script, "unavailable", 4 * defaults.suspectMs).join()).not.toMatch(/attach/);
  });
});

describe("a relayed worker", () => {
  test("looks for a direct way after a while, and takes it", () => {
    const script = relayed();
    const lines = live(script, 1.25 * defaults.directRetryMs + 1000);
    expect(lines).toEqual([
      expect.stringMatching("close: a direct way is looked for"),
      expect.stringMatching("attach http://b, epoch 1"),
    ]);
    expect(script.now - 1_000_000).toBeGreaterThanOrEqual(0.75 * defaults.directRetryMs);
    expect(script.notices()).toContain("looking for a direct way to the leader");
    expect(script.refuse("not-leader", "http://a")).toEqual(["attach http://a, epoch 1"]);
    expect(script.answer({ session: "s2" as never })).toEqual(["open s2"]);
    expect(live(script, 3 * defaults.directRetryMs)).toEqual([]);
  });

  test("stays with its standby where there is none", () => {
    const script = relayed();
    live(script, 1.25 * defaults.directRetryMs + 1000);
    script.refuse("not-leader", "http://a");
    expect(script.refuse("unreachable")).toEqual(["attach http://b, epoch 1, relayed"]);
  });
});
