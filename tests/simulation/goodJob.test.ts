/** The checkers of MapReduce jobs accept a job in which nothing is wrong. */
import { expect, test } from "vitest";
import { jobFiles } from "../../src/proof/checkers/jobFiles.ts";
import { jobOutputs } from "../../src/proof/checkers/jobOutputs.ts";
import { goodJob } from "./jobLies.ts";

test("a MapReduce job without a lie is accepted", () => {
  const history = goodJob().build();
  expect([...jobOutputs.check(history), ...jobFiles.check(history)]).toEqual([]);
});
