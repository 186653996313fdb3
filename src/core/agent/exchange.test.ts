/** What attempts send while they run, as scripts: acknowledged by id, in order, over lost reports and new masters, within bounds. */
import { describe, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import type { AttemptContent } from "../../model/protocol.ts";
import { AgentScript, issued, ref, resultOf } from "../../proof/fakes/agentScript.ts";

/** One that runs the first attempt of task `t`, which the leader knows. */
function running(options: ConstructorParameters<typeof AgentScript>[0] = {}): AgentScript {
  const script = AgentScript.attached(options);
  script.assign(["t/1"]);
  script.reported();
  return script;
}

function sendLarge(script: AgentScript, ticket: number, bytes: number): string[] {
  const content = { kind: "progress", done: 1, at: 0, padding: "x".repeat(bytes) } as AttemptContent;
  return script.tell({ kind: "send", ...ref("t/1"), ticket, content });
}

describe("items that are acknowledged", () => {
  test("leave at once and are answered by their ids, in whatever order the answer has them", () => {
    const script = running();
    expect(script.send("t/1", 1)).toEqual(["report t/1:#1 progress 1"]);
    expect(script.send("t/1", 2)).toEqual([]);
    expect(script.send("t/1", 3)).toEqual([]);
    expect(script.reported()).toEqual([
      "acknowledge 1 of t/1: committed",
      "report t/1:#2 progress 2 t/1:#3 progress 3",
    ]);
    const acks = [3, 2].map((id) => ({ id, verdict: "committed" as const }));
    const lines = script.tell({ kind: "reported", link: script.link, answer: { epoch: 1, verdicts: [], acks } });
    expect(lines).toEqual(["acknowledge 2 of t/1: committed", "acknowledge 3 of t/1: committed"]);
  });

  test("are sent again with the same ids when a report could not be taken, before later ones", () => {
    const script = running();
    script.send("t/1", 1);
    script.reportFails("unavailable");
    script.send("t/1", 2);
    expect(script.pass(100)).toEqual(["+100 report t/1:#1 progress 1 t/1:#2 progress 2"]);
  });

  test("are sent again to the next master, and the result follows only then", () => {
    const script = running();
    script.send("t/1", 1);
    expect(script.end("t/1")).toEqual([]);
    expect(script.agent.view()).toMatchObject({ running: 0, unsettled: 1 });
    expect(script.reattach()).toEqual(["open s2", "report t/1:#1 progress 1"]);
    expect(script.effects.findLast((effect) => effect.kind === "attach")?.state).toMatchObject({
      running: [issued("t/1")],
      outbox: [],
    });
    expect(script.reported()).toEqual(["acknowledge 1 of t/1: committed", "persist t/1 success"]);
    expect(script.persist("t/1")).toEqual(["report t/1:success"]);
    expect(script.reported()).toEqual(["forget t/1"]);
  });

  test("an answer that leaves one out ends the session, and the item is sent in the next one", () => {
    const script = running();
    script.send("t/1", 1);
    const answer = { epoch: 1, verdicts: [], acks: [] };
    expect(script.tell({ kind: "reported", link: script.link, answer })).toEqual([
      "close: it did not acknowledge each item",
    ]);
    script.pass(1000);
    expect(script.answer()).toEqual(["open s2", "report t/1:#1 progress 1"]);
  });

  test("stale ends all that the attempt has to say, and its result is still told", () => {
    const script = running();
    script.send("t/1", 1);
    script.send("t/1", 2);
    expect(script.reported("stale")).toEqual(["acknowledge 1 of t/1: stale", "acknowledge 2 of t/1: stale"]);
    expect(script.send("t/1", 3)).toEqual(["acknowledge 3 of t/1: stale"]);
    expect(script.finish("t/1")).toEqual(["persist t/1 success", "report t/1:success"]);
  });

  test("do not hold up the result of an attempt that the leader has given up", () => {
    const script = running();
    script.send("t/1", 1);
    script.abort("t/1", "cancelled");
    expect(script.send("t/1", 2)).toEqual(["acknowledge 2 of t/1: stale"]);
    script.reportFails("unavailable");
    expect(script.end("t/1")).toEqual(["persist t/1 success"]);
  });

  test("let an attempt that was aborted while its result waited be settled", () => {
    const script = running();
    script.send("t/1", 1);
    script.end("t/1");
    expect(script.abort("t/1", "killed")).toEqual(["persist t/1 success"]);
    expect(script.reported("stale")).toEqual([]);
    expect(script.persist("t/1")).toEqual(["report t/1:success"]);
    script.reported("stale");
    expect(script.agent.view()).toMatchObject({ running: 0, unsettled: 0 });
  });

  test("that no master takes before a drain's deadline void the result: it is given back", () => {
    const script = running();
    script.send("t/1", 1);
    script.end("t/1");
    script.reportFails("unavailable");
    script.tell({ kind: "drain", timeoutMs: 50 });
    expect(script.agent.view().unsettled).toBe(1);
    expect(script.pass(100)).toEqual(["+100 report draining t/1:aborted bye"]);
  });

  test("go on while a worker drains, and hold up its goodbye", () => {
    const script = running();
    script.tell({ kind: "drain", timeoutMs: 60_000 });
    script.reported();
    script.send("t/1", 1);
    script.end("t/1");
    expect(script.reported()).toEqual(["acknowledge 1 of t/1: committed", "persist t/1 success"]);
    expect(script.persist("t/1")).toEqual(["report t/1:success"]);
    expect(script.reported()).toEqual(["forget t/1", "report bye"]);
  });

  test("of an attempt that does not run here are stale", () => {
    const script = running();
    expect(script.send("u/1", 1)).toEqual(["acknowledge 1 of u/1: stale"]);
  });
});

describe("bounds", () => {
  test("one item too large is refused", () => {
    const script = running();
    expect(sendLarge(script, 7, limits.attemptItemBytesMax)).toEqual(["acknowledge 7 of t/1: refused (too-large)"]);
  });

  test("too many items of one attempt are refused, by number and by bytes; the earlier ones are not touched", () => {
    const script = running();
    for (let ticket = 1; ticket <= limits.attemptItemsMax; ticket += 1) sendLarge(script, ticket, 1);
    expect(sendLarge(script, 9999, 1)).toEqual(["acknowledge 9999 of t/1: refused (too-many)"]);
    const other = running();
    const bytes = limits.attemptItemBytesMax - 2048;
    const fitting = Math.floor(limits.attemptItemsBytesMax / (bytes + 2048));
    for (let ticket = 1; ticket <= fitting; ticket += 1) sendLarge(other, ticket, bytes);
    expect(sendLarge(other, 9999, bytes)).toEqual(["acknowledge 9999 of t/1: refused (too-many)"]);
    expect(other.reported()[0]).toBe("acknowledge 1 of t/1: committed");
  });

  test("what a master could not read is refused here, not by the master", () => {
    const script = running();
    expect(script.send("t/1", Number.NaN)).toEqual(["acknowledge 1 of t/1: refused (invalid)"]);
    const task = { kind: "part", input: {} };
    const set = { key: "k", first: 0, before: "", isLast: true, onFailure: "wait" } as const;
    const contents: readonly AttemptContent[] = [
      { kind: "step", key: "k", value: { id: 2 ** 60 } },
      { kind: "children", ...set, submissions: [task], concurrencyMax: 0 },
      { kind: "children", ...set, submissions: [task], failuresMax: 0.5 },
      { kind: "children", ...set, submissions: [{ ...task, priority: "high" as never }] },
      { kind: "submit", key: "k", submission: { ...task, queue: "" } },
    ];
    for (const content of contents)
      expect(script.tell({ kind: "send", ...ref("t/1"), ticket: 9, content })).toEqual([
        "acknowledge 9 of t/1: refused (invalid)",
      ]);
    script.tell({ kind: "tell", ...ref("t/1"), content: { kind: "progress", done: 1, text: 5 as never, at: 0 } });
    expect(script.pass(1000)).toEqual(["+1000 report"]);
  });

  test("a result that a master could not read is a failure that it can, also one of an earlier boot", () => {
    const output = { id: 2 ** 60 };
    const script = running({ outbox: [resultOf("old/1", { output })] });
    script.end("t/1", { output });
    const found = script.effects.flatMap((effect) => {
      if (effect.kind === "persist") return [effect.result];
      return effect.kind === "report" ? effect.items.filter((item) => item.kind === "result") : [];
    });
    expect(found.map(({ task, outcome }) => `${task} ${outcome}`)).toEqual(["old failed", "t failed"]);
  });
});

test("what attempts wait for counts for the size of a report, like their outputs", () => {
  const slots = 20;
  const script = AgentScript.attached({ capacity: slots });
  const names = Array.from({ length: slots }, (_, index) => `t${index}/1`);
  script.assign(names);
  script.reported();
  const key = (index: number) => `${index} ${"ä".repeat(limits.stepKeyLengthMax - 5)}`;
  const waits = Array.from({ length: limits.waitsMax }, (_, index) => {
    return { kind: "signal", key: key(index), name: "\u0001".repeat(limits.signalNameLengthMax) } as const;
  });
  for (const name of names) script.end(name, { outcome: "suspended", waits });
  script.persist(...names);
  const sizes = new Set<number>();
  for (let told = 0; told < slots; ) {
    const report = script.effects.findLast((effect) => effect.kind === "report");
    sizes.add(Buffer.byteLength(JSON.stringify(report?.items)));
    told += report?.items.length ?? slots;
    script.reported();
  }
  expect(sizes.size).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThan(limits.reportBodyBytesMax);
});

describe("a master of protocol 1", () => {
  test("gets results without ids, and answers them by position", () => {
    const script = AgentScript.attached();
    script.reattach({ protocol: 1 });
    script.assign(["t/1", "u/1"]);
    script.reported();
    script.finish("t/1");
    script.finish("u/1");
    expect(script.effects.findLast((effect) => effect.kind === "report")?.items[0]).not.toHaveProperty("id");
    expect(script.reported()).toEqual(["forget t/1", "report u/1:success"]);
    expect(script.reported()).toEqual(["forget u/1"]);
  });

  test("gets no items: they are refused, those that waited included, and no result waits for them", () => {
    const script = running();
    script.send("t/1", 1);
    script.end("t/1");
    expect(script.reattach({ protocol: 1 })).toEqual([
      "open s2",
      "acknowledge 1 of t/1: refused (unsupported)",
      "persist t/1 success",
    ]);
    script.assign(["u/1"]);
    script.reported();
    expect(script.send("u/1", 1)).toEqual(["acknowledge 2 of u/1: refused (unsupported)"]);
    script.progress("u/1", 5);
    expect(script.pass(1000).join()).not.toContain("progress");
  });
});

describe("progress that nobody waits for", () => {
  test("goes with the next heartbeat; only the latest counts", () => {
    const script = running();
    expect(script.progress("t/1", 1)).toEqual([]);
    script.progress("t/1", 2);
    expect(script.pass(1000)).toEqual(["+1000 report t/1:progress 2"]);
    script.reported();
    expect(script.pass(1000)).toEqual(["+1000 report"]);
  });

  test("goes at most once per `progressMs`, however often reports leave", () => {
    const script = running({ settings: { progressMs: 10_000 } });
    script.progress("t/1", 1);
    script.pass(1000);
    script.reported();
    script.progress("t/1", 2);
    expect(script.pass(1000)).toEqual(["+1000 report"]);
    script.reported();
    for (let left = 8; left > 0; left -= 1) {
      script.beat();
      script.pass(1000);
      script.reported();
    }
    script.beat();
    expect(script.pass(1000)).toEqual(["+1000 report t/1:progress 2"]);
  });

  test("is told again to the next master", () => {
    const script = running();
    script.progress("t/1", 3);
    script.pass(1000);
    script.reported();
    script.reattach();
    expect(script.pass(2000).join()).toContain("t/1:progress 3");
  });

  test("does not hold up the result", () => {
    const script = running();
    script.progress("t/1", 3);
    expect(script.finish("t/1")).toEqual(["persist t/1 success", "report t/1:success"]);
  });
});

describe("messages of the leader", () => {
  const tell = (script: AgentScript, name: string, id: string) =>
    script.hear({ kind: "tell", epoch: 1, messages: [{ ...issued(name), id, body: null }] });

  test("reach the running attempt once, however often they come", () => {
    const script = running();
    expect(tell(script, "t/1", "m1")).toEqual(["deliver m1 to t/1"]);
    expect(tell(script, "t/1", "m1")).toEqual([]);
    script.reattach();
    expect(tell(script, "t/1", "m1")).toEqual([]);
    expect(tell(script, "t/1", "m2")).toEqual(["deliver m2 to t/1"]);
  });

  test("do not reach another attempt of that name, or one that has ended", () => {
    const script = running();
    expect(tell(script, "t/1@9", "m1")).toEqual([]);
    script.end("t/1");
    expect(tell(script, "t/1", "m1")).toEqual([]);
  });
});
