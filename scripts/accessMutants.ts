/** Breaks the checks of rights on purpose, and asks whether anything sees it: `npm run access:mutants`. */
import { accessMutants } from "./mutants/accessMutants.ts";
import { huntByTests } from "./mutants/huntByTests.ts";

const wereSeen = await huntByTests({
  mutants: accessMutants,
  needs: ["tests", "docs"],
  seers: {
    "docs/access.md": ["scripts/accessDocument.ts"],
    "the tests of every route with every role": [
      ...["node_modules/vitest/vitest.mjs", "run", "--project", "integration", "--bail", "1"],
      "tests/integration/api/access.test.ts",
    ],
    "the tests of sessions": [
      ...["node_modules/vitest/vitest.mjs", "run", "--project", "integration", "--bail", "1"],
      "tests/integration/api/sessions.test.ts",
    ],
  },
});
process.exitCode = wereSeen ? 0 : 1;
