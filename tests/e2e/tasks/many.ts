/** A parent of very many small children, which are never all held at once. */
import { defineTask } from "outlast";

interface Input {
  readonly count: number;
  /** The queue of the children. */
  readonly queue: string;
}

export const many = defineTask({
  name: "many",
  async run({ count, queue }: Input, ctx) {
    const results = await ctx.all("all", calls(count, queue));
    let seen = 0;
    for await (const _result of results) seen += 1;
    return { total: results.total, succeeded: results.succeeded, seen };
  },
});

function* calls(count: number, queue: string) {
  for (let index = 0; index < count; index += 1)
    yield { kind: "sleep", name: `child ${index}`, input: { seconds: 0 }, queue };
}
