/** Extract, transform, load: shell commands and handlers as children of one task, each run on whatever worker is free. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defineTask } from "outlast";

interface Job {
  /** A folder that all workers see. */
  readonly folder: string;
  /** How many parts to divide the input among. */
  readonly parts: number;
}

export const sumPart = defineTask({
  name: "sum-part",
  async run({ file }: { readonly file: string }) {
    const numbers = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
    return numbers.reduce((sum, line) => sum + Number(line), 0);
  },
});

export const etl = defineTask({
  name: "etl",
  async run({ folder, parts }: Job, ctx) {
    // A shell command as a child: `split` writes part-aa, part-ab …
    const command = ["split", "-n", `l/${parts}`, join(folder, "numbers.txt"), join(folder, "part-")];
    await ctx.run("extract", { kind: "exec", name: "split the input", input: { command } });

    // Which files there are is remembered, so that a later attempt does not look at a folder that has changed.
    const files = await ctx.step("list", async () => {
      const names = (await readdir(folder)).filter((name) => name.startsWith("part-"));
      return names.sort().map((name) => join(folder, name));
    });
    const sums = await ctx.all(
      "transform",
      files.map((file) => sumPart.task({ file })),
    );

    const total = sums.reduce((sum, part) => sum + part, 0);
    await ctx.step("load", () => writeFile(join(folder, "total.txt"), `${total}\n`));
    return { files: files.length, total };
  },
});
