/** Bugs planted where attempts are put on record, and where their records are completed by the ends of their processes. */
import type { Mutant } from "./mutant.ts";

export const attemptMutants: readonly Mutant[] = [
  {
    name: "begins the next attempt and keeps no record of the one before",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: '  recordAttempt(batch, task);\n  state.tasks.setState(task, "running");',
        replace: '  state.tasks.setState(task, "running");',
      },
    ],
  },
  {
    name: "takes the order to end an attempt for the end of its process",
    patches: [
      {
        file: "src/core/scheduler/attemptRecords.ts",
        search: "    ...{ endedAt, outcome },",
        replace: "    ...{ endedAt, outcome, processEndedAt: endedAt },",
      },
    ],
  },
  {
    name: "records an attempt that was given up once more when the next one begins",
    patches: [
      {
        file: "src/core/scheduler/attemptRecords.ts",
        search:
          "    ...(error !== undefined && message !== undefined && { error: { code: error.code, message } }),\n  });\n  task.isRecorded = true;",
        replace:
          "    ...(error !== undefined && message !== undefined && { error: { code: error.code, message } }),\n  });",
      },
    ],
  },
  {
    name: "takes an attempt that never began for one whose process has ended",
    patches: [
      {
        file: "src/core/scheduler/processEnds.ts",
        search: "  if (!wasHandedBack(result)) noteProcessEnds",
        replace: "  noteProcessEnds",
      },
      { file: "src/core/agent/attempt.ts", search: "wasHandedBack(this.result)", replace: "false" },
    ],
  },
];
