/** How a worker starts processes for the handlers in some task files, and loads those that run inline. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { TaskFile } from "./taskFiles.ts";

export function handlerOptions(files: readonly TaskFile[]) {
  // Beside this file, as source in a checkout and built in a package.
  const program = fileURLToPath(new URL(`./runnerProcess${extname(import.meta.url)}`, import.meta.url));
  // Node says that stripping types is experimental, which is no news for a task's log.
  const flags = ["--disable-warning=ExperimentalWarning"];
  return {
    argv: [process.execPath, ...flags, program, JSON.stringify(files)],
    loadInline: async () => {
      const { loadInlineHandlers } = await import("./inline.ts");
      return loadInlineHandlers(files);
    },
  };
}
