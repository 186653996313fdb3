/** A report that a master refuses for good: what is to blame is found, and the rest gets through. */
import { expect, test } from "vitest";
import { AgentScript } from "../../proof/fakes/agentScript.ts";

/** Runs three attempts whose leader knows of them. */
function running(): AgentScript {
  const script = AgentScript.attached({ capacity: 3 });
  script.assign(["t/1", "u/1", "v/1"]);
  script.reported();
  return script;
}

test("a result that no master takes becomes a failure, and those of others get through", () => {
  const script = running();
  script.finish("t/1");
  script.finish("u/1");
  script.finish("v/1");
  expect(script.reported()).toEqual(["forget t/1", "report u/1:success v/1:success"]);
  expect(script.reportFails("invalid")).toEqual(["report"]);
  expect(script.reported()).toEqual(["report u/1:success"]);
  expect(script.reportFails("invalid")).toEqual(["report v/1:success u/1:failed(result-refused)"]);
  expect(script.reported()).toEqual(["forget v/1+u/1"]);
  expect(script.notices().filter((message) => message.includes("refused"))).toHaveLength(1);
  expect(script.agent.view()).toMatchObject({ phase: "attached", unsettled: 0 });
});

test("a failure that is refused, too, is dropped", () => {
  const script = running();
  script.finish("t/1");
  expect(script.reportFails("invalid")).toEqual(["report"]);
  expect(script.reported()).toEqual(["report t/1:success"]);
  expect(script.reportFails("invalid")).toEqual(["report t/1:failed(result-refused)"]);
  expect(script.reportFails("invalid")).toEqual(["report"]);
  expect(script.reported()).toEqual(["report t/1:failed(result-refused)"]);
  expect(script.reportFails("invalid")).toEqual(["forget t/1"]);
});

test("what an attempt says is refused to it alone", () => {
  const script = running();
  expect(script.send("t/1", 1)).toEqual(["report t/1:#1 progress 1"]);
  script.send("u/1", 2);
  script.send("t/1", 3);
  expect(script.reportFails("too-large")).toEqual(["report"]);
  expect(script.reported()[0]).toMatch(/^report \S+ progress \d$/);
  const lines = [...script.reportFails("too-large"), ...script.reported()];
  expect(lines.filter((line) => line.includes("refused"))).toHaveLength(1);
  expect(lines.filter((line) => line.includes("committed"))).toHaveLength(2);
});

test("nothing is dropped where a master refuses even a report without items, or for a reason that passes", () => {
  const script = running();
  script.finish("t/1");
  expect(script.reportFails("bad-request")).toEqual(["report"]);
  expect(script.reportFails("bad-request")[0]).toMatch(/^close: a report failed: bad-request/);
  script.pass(5000);
  expect(script.answer()).toEqual(["open s2", "report t/1:success"]);
  script.reportFails("unavailable");
  expect(script.pass(100)).toEqual(["+100 report t/1:success"]);
  expect(script.reported()).toEqual(["forget t/1"]);
});

test("where none of them is refused by itself, they go together again once all are through", () => {
  const script = running();
  for (const name of ["t/1", "u/1", "v/1"]) script.finish(name);
  script.reported();
  script.reportFails("too-large");
  expect(script.reported()).toEqual(["report u/1:success"]);
  expect(script.reported()).toEqual(["forget u/1", "report v/1:success"]);
  expect(script.reported()).toEqual(["forget v/1"]);
  // The next report finds nothing left, which ends the search.
  expect(script.pass(2000)).toEqual(["+2000 report"]);
  expect(script.reported()).toEqual([]);
  for (const name of ["x/1", "y/1"]) script.assign([name]);
  for (const name of ["x/1", "y/1"]) script.finish(name);
  script.reported();
  const reports = script.effects.filter((effect) => effect.kind === "report");
  expect(reports.at(-1)?.items).toHaveLength(2);
});
