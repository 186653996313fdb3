/** The stress test as users run it: it keeps every promise to the end. */
import { expect, test } from "vitest";
import { ShowRun } from "./showRun.ts";

test("the stress test keeps every promise", async () => {
  using show = new ShowRun();
  const { code, text } = await show.start("stress", "--tasks", "40", "--max-sleep", "1s", "--seed", "1", "--json")
    .ended;
  const report = JSON.parse(text) as { checks: { problems: string[] }[] };
  expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
  expect(code).toBe(0);
});
