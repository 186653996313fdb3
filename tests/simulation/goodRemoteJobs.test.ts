/** The checker of jobs of services accepts what is right. */
import { expect, test } from "vitest";
import { remoteJobs } from "../../src/proof/checkers/remoteJobs.ts";
import { goodRemoteJobs } from "./remoteLies.ts";

for (const [what, make] of Object.entries(goodRemoteJobs)) {
  test(`it is accepted that ${what}`, () => {
    expect(remoteJobs.check(make().build())).toEqual([]);
  });
}
