/** The planted bugs must follow the source that they are planted in. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { accessMutants } from "../../scripts/mutants/accessMutants.ts";
import { simulatedMutants } from "../../scripts/mutants/all.ts";
import { apiMutants } from "../../scripts/mutants/apiMutants.ts";
import { backendMutants } from "../../scripts/mutants/backendMutants.ts";
import { operatorMutants } from "../../scripts/mutants/operatorMutants.ts";

const root = join(import.meta.dirname, "..", "..");

for (const { name, patches } of [
  ...simulatedMutants,
  ...apiMutants,
  ...accessMutants,
  ...backendMutants,
  ...operatorMutants,
]) {
  test(`the source still has the place for a master or worker that ${name}`, () => {
    for (const { file, search } of patches) {
      const places = readFileSync(join(root, file), "utf8").split(search).length - 1;
      expect(places, `"${search}" in ${file}`).toBe(1);
    }
  });
}
