/** The planted bugs must follow the source that they are planted in. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { electionMutants } from "../../scripts/mutants/electionMutants.ts";
import { familyMutants } from "../../scripts/mutants/familyMutants.ts";
import { masterMutants } from "../../scripts/mutants/masterMutants.ts";
import { recordMutants } from "../../scripts/mutants/recordMutants.ts";
import { scheduleMutants } from "../../scripts/mutants/scheduleMutants.ts";
import { schedulerMutants } from "../../scripts/mutants/schedulerMutants.ts";
import { workerMutants } from "../../scripts/mutants/workerMutants.ts";

const root = join(import.meta.dirname, "..", "..");

for (const { name, patches } of [
  ...masterMutants,
  ...electionMutants,
  ...schedulerMutants,
  ...scheduleMutants,
  ...familyMutants,
  ...recordMutants,
  ...workerMutants,
]) {
  test(`the source still has the place for a master or worker that ${name}`, () => {
    for (const { file, search } of patches) {
      const places = readFileSync(join(root, file), "utf8").split(search).length - 1;
      expect(places, `"${search}" in ${file}`).toBe(1);
    }
  });
}
