/** The closing report: what it says when all is well, and when it is not. */
import { expect, test } from "vitest";
import { plain } from "../../cli/colour.ts";
import type { Life } from "../cluster/lives.ts";
import type { Check } from "./check.ts";
import { holds, type Report, reportBody, reportLines, reportMarkdown } from "./report.ts";

const kept: Check = {
  id: "all-success",
  promise: "Every task is success",
  holds: true,
  cases: 2,
  seen: "2 of 2",
  problems: [],
};
const lost: Check = {
  id: "nothing-lost",
  promise: "No acknowledged submit was lost",
  holds: false,
  cases: 30,
  seen: "30 acknowledged, 0 found",
  problems: Array.from(
    { length: 30 },
    (_, index) => `task-${index} was acknowledged, and the master does not know it.`,
  ),
};
const life: Life = {
  process: "worker-1",
  role: "worker",
  number: 1,
  startedAt: 1000,
  readyAt: 1200,
  endedAt: 3500,
  cause: "killed",
  exit: "SIGKILL",
};

function report(checks: readonly Check[]): Report {
  return {
    command: "demo",
    repeat: "outlast demo --seed 7",
    directory: "demo-run",
    seed: 7,
    startedAt: 1000,
    endedAt: 13_400,
    checks,
    story: [{ at: 3500, text: "SIGKILL worker-1, with task-3 on it" }],
    evidence: {
      asked: [{ id: "a", sleepMs: 1, acknowledgedAt: 1 }],
      documents: [],
      journal: [],
      markers: [],
      ledger: [],
      leaderFacts: [],
      lives: [life],
      masters: new Map(),
    },
  };
}

test("a clean run says so", () => {
  expect(holds(report([kept]))).toBe(true);
  expect(reportLines(report([kept]), plain, null)).toEqual([
    "",
    "   promise                seen",
    "✓  Every task is success  2 of 2",
    "",
    "Every promise was kept, in 12.4s.",
    "Logs, tasks.txt and report.md are in demo-run.",
  ]);
});

test("a promise that was never put to the test does not pass as kept", () => {
  const untested = { ...kept, cases: 0 };
  const lines = reportLines(report([kept, untested]), plain, null);
  expect(lines.slice(2, 5)).toEqual(["✓  Every task is success  2 of 2", "–  Every task is success  2 of 2", ""]);
  expect(lines[5]).toBe("Every promise that was tested was kept, in 12.4s.");
});

test("a broken promise is told with its first cases, and how many more there are", () => {
  const text = reportLines(report([kept, lost]), plain, null).join("\n");
  expect(holds(report([kept, lost]))).toBe(false);
  expect(text).toContain("Not every promise was seen to be kept:");
  expect(text).toContain("✗ task-9 was acknowledged");
  expect(text).not.toContain("✗ task-10 was acknowledged");
  expect(text).toContain("… and 20 more like this.");
});

test("for programs and for readers it says the same", () => {
  expect(reportBody(report([kept, lost]))).toMatchObject({ isClean: false, seed: 7, repeat: "outlast demo --seed 7" });
  const markdown = reportMarkdown(report([kept, lost]));
  expect(markdown).toContain("| ✓ | Every task is success | 2 of 2 |");
  expect(markdown).toContain("### Broken: No acknowledged submit was lost");
  expect(markdown).toContain("- `   2.5 s` SIGKILL worker-1, with task-3 on it");
  expect(markdown).toContain("| worker-1 | 1 |    0.0 s |    2.5 s | SIGKILL |");
});
