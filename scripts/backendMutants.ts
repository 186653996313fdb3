/** Breaks how runs of backends are started, taken up and stopped, and asks whether anything sees it: `npm run backends:mutants`. */
import { backendMutants } from "./mutants/backendMutants.ts";
import { huntByTests } from "./mutants/huntByTests.ts";
import { remoteMutants } from "./mutants/remoteMutants.ts";

const vitest = ["node_modules/vitest/vitest.mjs", "run", "--bail", "1"];

const wereSeen = await huntByTests({
  mutants: [...backendMutants, ...remoteMutants],
  needs: ["tests", "examples"],
  seers: {
    "the contract of backends": [...vitest, "--project", "contracts", "tests/contracts/remote"],
    "the tests of an attempt": [
      ...[...vitest, "--project", "unit", "src/worker/executors/runAttempt.test.ts"],
      ...["src/backends", "src/core/agent/masters.test.ts", "src/core/scheduler/runStops.test.ts"],
    ],
  },
});
process.exitCode = wereSeen ? 0 : 1;
