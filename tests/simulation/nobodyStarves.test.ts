/** What the checker of waiting tasks must accept, and must see, of tasks that have to run alone. */
import { expect, test } from "vitest";
import type { TaskId } from "../../src/model/ids.ts";
import { defaults } from "../../src/model/limits.ts";
import { nobodyStarves } from "../../src/proof/checkers/nobodyStarves.ts";
import { life, MadeHistory, spec, status, task, worker } from "./madeHistory.ts";

const other = "t2" as TaskId;

/** A worker of two slots, one of which had a task whose time was over; then a task waits that must run alone. */
function suspectBeside({ hasEnded }: { hasEnded: boolean }): MadeHistory {
  const made = new MadeHistory()
    .attach({ capacity: 2 })
    .entry({ kind: "spec", spec: spec({ id: other }) }, { kind: "status", status: status({ id: other }) })
    .entry({ kind: "status", status: status({ id: other, state: "running", attempt: 1 }) })
    .execStart(1, { task: other });
  if (hasEnded) {
    made.execEnd(1, "aborted", { task: other });
    made.add({
      kind: "sent-verdict",
      life,
      worker,
      task: other,
      attempt: 1,
      verdict: "stale",
      outcome: "aborted",
    });
  }
  made
    .later(1_000)
    .hear()
    .entry(
      { kind: "status", status: status({ id: other, state: "failed", attempt: 1 }) },
      { kind: "spec", spec: spec() },
      { kind: "status", status: status({ id: task, losses: defaults.lossesBeforeAlone }) },
    );
  for (let beats = 0; beats < 4; beats += 1) made.later(2_500).hear();
  return made.entry();
}

test("a task that must run alone waits until a process that was given up has ended", () => {
  expect(nobodyStarves.check(suspectBeside({ hasEnded: false }).build())).toEqual([]);
});

test("a task that must run alone does not wait beside an empty worker", () => {
  expect(nobodyStarves.check(suspectBeside({ hasEnded: true }).build())).toHaveLength(1);
});
