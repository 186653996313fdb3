/** A handler whose every step leaves a line in a file, and that can be held up in the middle. */

import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { defineTask } from "outlast";

/** Resolves once the file exists. */
async function opened(gate: string): Promise<void> {
  while (!existsSync(gate)) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

interface Input {
  /** Each effect is a line here: `what attempt`. */
  readonly ledger: string;
  /** The step `c` waits until this file exists. */
  readonly gate: string;
}

export const resumable = defineTask({
  name: "resumable",
  async run({ ledger, gate }: Input, ctx) {
    const effect = (what: string) => appendFile(ledger, `${what} ${ctx.attempt}\n`);
    await ctx.step("a", () => effect("a"));
    await ctx.step("b", () => effect("b"));
    await ctx.step("c", async () => {
      await effect("c begins");
      await opened(gate);
      await effect("c");
    });
    return ctx.attempt;
  },
});

export const held = defineTask({
  name: "held",
  async run({ ledger, gate }: Input, ctx) {
    await appendFile(ledger, `${ctx.taskId} begins\n`);
    await opened(gate);
    return ctx.taskId;
  },
});

export const parent = defineTask({
  name: "parent",
  async run({ count, ...rest }: Input & { readonly count: number }, ctx) {
    const before = await ctx.step("before", () => ctx.attempt);
    const names = await ctx.all(
      "held",
      Array.from({ length: count }, () => held.task(rest)),
    );
    return { before, count: new Set(names).size };
  },
});

export const forever = defineTask({
  name: "forever",
  timeoutMs: 200,
  attemptsMax: 1,
  run(_: null) {
    for (;;);
  },
});
