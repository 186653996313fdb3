/** The tasks of the family act, as a user would write them: a master task with many children, each of two steps with work between them. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { defineTask, type TaskContext } from "../../sdk/index.ts";

export interface ChildInput {
  readonly index: number;
  readonly workMs: number;
  readonly folder: string;
}

export interface FamilyInput {
  readonly children: number;
  readonly workMsMax: number;
  /** Where each run of a step leaves a line, by process. */
  readonly folder: string;
}

/** One run of a step, written down by the process that did it. */
export interface StepRun {
  readonly task: string;
  readonly attempt: number;
  readonly key: string;
  /** In ms since 1970. */
  readonly at: number;
}

export const stepRunsPrefix = "steps-";

function note(folder: string, key: string, { taskId, attempt }: TaskContext): void {
  const run: StepRun = { task: taskId, attempt, key, at: Date.now() };
  appendFileSync(join(folder, `${stepRunsPrefix}${process.pid}.jsonl`), `${JSON.stringify(run)}\n`);
}

/** Gives back three times its index. */
export const demoChild = defineTask({
  name: "demo-child",
  // The loss of a worker is no failure: one attempt that may fail is enough.
  attemptsMax: 1,
  async run({ index, workMs, folder }: ChildInput, ctx) {
    const first = await ctx.step("first", () => {
      note(folder, "first", ctx);
      return index;
    });
    await setTimeout(workMs, undefined, { signal: ctx.abortSignal });
    const second = await ctx.step("second", () => {
      note(folder, "second", ctx);
      return 2 * index;
    });
    return first + second;
  },
});

/** Gives back the sum of what its children gave. */
export const demoFamily = defineTask({
  name: "demo-family",
  attemptsMax: 1,
  async run({ children, workMsMax, folder }: FamilyInput, ctx) {
    const inputs = await ctx.step("divide", () => {
      note(folder, "divide", ctx);
      return Array.from({ length: children }, (_, index) => {
        // Some are short, and some long enough to be in the middle of something when a process dies.
        const workMs = Math.round(workMsMax / 4 + (((index * 37) % 100) / 100) * workMsMax * 0.75);
        return { index, workMs, folder };
      });
    });
    const results = await ctx.all(
      "children",
      inputs.map((input) => demoChild.task(input)),
    );
    return ctx.step("sum", () => {
      note(folder, "sum", ctx);
      return results.reduce((sum, each) => sum + each, 0);
    });
  },
});
