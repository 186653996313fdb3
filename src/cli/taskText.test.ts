/** Columns of tables about tasks. */
import { expect, test } from "vitest";
import type { AttemptRecord } from "../model/attemptRecord.ts";
import type { BootId, WorkerId } from "../model/ids.ts";
import { attemptColumns } from "./taskText.ts";

function ran(attempt: number, assignedAt: number, more: Partial<AttemptRecord>): AttemptRecord {
  return { attempt, worker: `w${attempt}` as WorkerId, boot: "b" as BootId, assignedAt, ...more };
}

test("where a process went on after its attempt, a column says for how long, and beside which other", () => {
  const first = ran(1, 0, { endedAt: 10_000, processEndedAt: 14_200, outcome: "killed" });
  const second = ran(2, 10_500, { endedAt: 60_000, outcome: "success" });
  const column = attemptColumns(90_000, [first, second]).find(({ title }) => title === "PROCESS");
  expect([first, second].map((each) => column?.text(each))).toEqual(["ended 4.2s later, beside attempt 2", ""]);
  const [early] = [ran(1, 0, { endedAt: 10_000, processEndedAt: 4_000, outcome: "killed" })];
  expect(column?.text(early)).toBe("had ended 6s before");
});

test("there is no such column where each process ended with its attempt", () => {
  const attempts = [ran(1, 0, { endedAt: 10_000, outcome: "failed" }), ran(2, 20_000, {})];
  const titles = attemptColumns(90_000, attempts).map(({ title }) => title);
  expect(titles).toEqual(["TRY", "HOST", "ASSIGNED", "TOOK", "OUTCOME", "WHY"]);
});
