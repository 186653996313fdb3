/** A handler with many steps, and children that nobody has given names. */
import { defineTask } from "outlast";

export const page = defineTask({ name: "page", run: ({ index }: { readonly index: number }) => index });

export interface BookInput {
  readonly steps: number;
  readonly pages: number;
  readonly text: string;
}

export const book = defineTask({
  name: "book",
  async run({ steps, pages }: BookInput, ctx) {
    for (let index = 0; index < steps; index += 1)
      await ctx.step(`chapter-${index}`, () => ({ index, lines: Array.from({ length: 50 }, (_, line) => line) }));
    return ctx.all(
      "pages",
      Array.from({ length: pages }, (_, index) => page.task({ index })),
    );
  },
});
