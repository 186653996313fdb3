/** Bugs planted where jobs of services are stopped whose tasks are over. The tests of backends must see them as well. */
import type { Mutant } from "./mutant.ts";

const attempt = "src/worker/executors/runAttempt.ts";

export const remoteMutants: readonly Mutant[] = [
  {
    name: "forgets a job that could not be stopped before it is (real: seed 184588044289)",
    patches: [
      {
        file: attempt,
        search: "if (latest !== null && latest.run.handle !== null && !latest.isLeft) await",
        replace: "if (latest !== null && latest.run.handle !== null) await",
      },
    ],
  },
  {
    name: "takes an attempt of a forgotten task for one of a new task with its id (real: seed 179586784726)",
    patches: [
      {
        file: "src/core/scheduler/holds.ts",
        search: "    return ofHold === assignedAt ? id : longId;",
        replace: "    return id;",
      },
    ],
  },
  {
    name: "stops no job whose task has no worker",
    patches: [
      {
        file: "src/core/scheduler/runStops.ts",
        search: "  else createStop(state, batch, stop);\n",
        replace: "",
      },
    ],
  },
  {
    name: "stops no job whose worker is lost before it has done so",
    patches: [
      {
        file: "src/core/scheduler/holds.ts",
        search: "      if (hold.stop !== undefined) stops.push(hold.stop);\n",
        replace: "",
      },
    ],
  },
  {
    name: "gives up a job that is to be stopped on a clock that is days ahead for a moment (real: seed 260093909794)",
    patches: [
      {
        file: "src/core/scheduler/taskBounds.ts",
        search: "const isSure = batch.now >= state.clockSureAt;",
        replace: "const isSure = true;",
      },
    ],
  },
  {
    name: "takes the end of an attempt for that of its job",
    patches: [
      {
        file: "src/core/scheduler/sessions.ts",
        search: 'const hasRunEnded = result.outcome === "success" || result.error?.code === runStopped;',
        replace: "const hasRunEnded = true;",
      },
    ],
  },
  {
    name: "says of a job that could not be stopped that it was",
    patches: [{ file: attempt, search: "    if (!isOver) return aborted;\n", replace: "" }],
  },
];
