/** A handler with many children: most of them wait for a worker that never comes, some fail. */
import { defineTask } from "outlast";

export interface FamilyInput {
  readonly waiting: number;
  readonly failing: number;
}

/** No worker serves this queue. */
const queueOfNobody = "nobody";

export const leaf = defineTask({
  name: "leaf",
  attemptsMax: 1,
  run({ text }: { readonly text: string }): string {
    throw new Error(text);
  },
});

export const family = defineTask({
  name: "family",
  async run({ waiting, failing }: FamilyInput, ctx) {
    await ctx.step("plan", () => ({ waiting, failing }));
    function* children() {
      for (let index = 0; index < waiting; index += 1)
        yield leaf.task({ text: "" }, { name: `waiting ${index}`, queue: queueOfNobody });
      for (let index = 0; index < failing; index += 1)
        yield leaf.task({ text: `leaf ${index} is broken` }, { name: `failing ${index}` });
    }
    const results = await ctx.all("leaves", children(), { failuresMax: failing });
    for await (const result of results) ctx.log(String(result));
    return null;
  },
});
