/** Breaks what operators run by, one bug at a time, and asks whether a test sees it: `npm run operators:mutants`. */
import { huntByTests } from "./mutants/huntByTests.ts";
import { operatorMutants } from "./mutants/operatorMutants.ts";

const vitest = ["node_modules/vitest/vitest.mjs", "run", "--bail", "1"];

const wereSeen = await huntByTests({
  mutants: operatorMutants,
  needs: ["tests", "examples"],
  seers: {
    "unit tests": [
      ...[...vitest, "--project", "unit", "src/model", "src/node", "src/outbound", "src/api/http"],
      ...["src/worker/tracedExecutor.test.ts", "src/worker/executors"],
    ],
    "webhooks and traces of a running cluster": [
      ...[...vitest, "--project", "e2e", "tests/e2e/webhooks.test.ts", "tests/e2e/tracing.test.ts"],
    ],
  },
});
process.exitCode = wereSeen ? 0 : 1;
