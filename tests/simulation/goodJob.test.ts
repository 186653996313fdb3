/** The checkers of MapReduce jobs and backups accept what is right. */
import { expect, test } from "vitest";
import { backupsKept } from "../../src/proof/checkers/backupsKept.ts";
import { jobFiles } from "../../src/proof/checkers/jobFiles.ts";
import { jobOutputs } from "../../src/proof/checkers/jobOutputs.ts";
import { goodBackups } from "./backupLies.ts";
import { goodJob, retriedJob } from "./jobLies.ts";

test("a MapReduce job without a lie is accepted", () => {
  const history = goodJob().build();
  expect([...jobOutputs.check(history), ...jobFiles.check(history)]).toEqual([]);
});

test("a retried job may refuse the output that it had begun before", () => {
  expect(jobOutputs.check(retriedJob().build())).toEqual([]);
});

for (const [what, make] of Object.entries(goodBackups)) {
  test(`backups where ${what} are accepted`, () => {
    expect(backupsKept.check(make().build())).toEqual([]);
  });
}
