/** Handlers that use the files of their attempt. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defineTask, type TaskContext } from "outlast";

async function upper(input: string, { files }: TaskContext) {
  const source = await files.input(input, "in/source.txt");
  const folder = await files.folder();
  await writeFile(join(folder, "result.txt"), (await readFile(source, "utf8")).toUpperCase());
  return { folder, isInside: source === join(folder, "in/source.txt"), ...(await files.publish("result.txt")) };
}

export const inProcess = defineTask({ name: "upper", run: upper });
export const inline = defineTask({ name: "upper-inline", runner: "inline", run: upper });

export const again = defineTask({
  name: "publish-twice",
  async run(path: string, { files }) {
    await writeFile(join(await files.folder(), "a"), "a");
    await writeFile(join(await files.folder(), "b"), "b");
    const [first, second] = await Promise.all([files.publish("a"), files.publish("b")]);
    await files.publish(path);
    return [first, second];
  },
});

export const crash = defineTask({
  name: "crash",
  async run(_: null, ctx) {
    ctx.log(await ctx.files.folder());
    process.exit(3);
  },
});

/** Nothing else runs in the process while it waits for the blob: it must not be taken for one that waits in vain. */
export const fetchOnly = defineTask({
  name: "fetch",
  run: async (input: string, { files }) => existsSync(await files.input(input)),
});
