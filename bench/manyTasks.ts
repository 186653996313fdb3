/** A parent of up to a million children, for measurements. */
import { defineTask } from "outlast";

interface Input {
  readonly count: number;
  /** The queue of the children. */
  readonly queue: string;
}

export const many = defineTask({
  name: "many",
  async run({ count, queue }: Input, ctx) {
    const { total } = await ctx.all("all", calls(count, queue));
    return total;
  },
});

function* calls(count: number, queue: string) {
  for (let index = 0; index < count; index += 1) yield { kind: "sleep", input: { seconds: 0 }, queue };
}
