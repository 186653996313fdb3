/** A parent with a step, a child that is a handler and a child that is a command; both say which trace they belong to. */
import { appendFileSync } from "node:fs";
import { defineTask } from "outlast";

export const tracedChild = defineTask({
  name: "traced-child",
  run: async ({ ledger }: { ledger: string }, ctx) => {
    appendFileSync(ledger, `child ${ctx.traceparent}\n`);
    return null;
  },
});

export const traced = defineTask({
  name: "traced",
  run: async ({ ledger }: { ledger: string }, ctx) => {
    await ctx.step("prepare", async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return 1;
    });
    appendFileSync(ledger, `parent ${ctx.traceparent}\n`);
    await ctx.run("child", tracedChild.task({ ledger }));
    return null;
  },
});
