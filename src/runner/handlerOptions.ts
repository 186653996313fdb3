/** How a worker starts processes for the handlers in some task files, and loads those that run inline. */
import { getCompileCacheDir } from "node:module";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { TaskFile } from "./taskFiles.ts";

/**
 * The same for the tasks of MapReduce jobs, which every worker runs.
 * @param env of its variables, jobs see those that a client of S3 needs
 */
export function mapReduceOptions(env: NodeJS.ProcessEnv): {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  const path = fileURLToPath(new URL(`../mapreduce/slot/tasks${extname(import.meta.url)}`, import.meta.url));
  const { argv, environment } = handlerOptions([{ path, isNamed: true }]);
  const forS3 = Object.entries(env).filter((entry): entry is [string, string] => {
    return entry[0].startsWith("AWS_") && entry[1] !== undefined;
  });
  return { argv, environment: { ...environment, ...Object.fromEntries(forS3) } };
}

export function handlerOptions(files: readonly TaskFile[]) {
  // Beside this file, as source in a checkout and built in a package.
  const program = fileURLToPath(new URL(`./runnerProcess${extname(import.meta.url)}`, import.meta.url));
  // What Node says of experimental type stripping and of files without a package.json does not belong into a task's log.
  const flags = ["ExperimentalWarning", "MODULE_TYPELESS_PACKAGE_JSON"].map((name) => `--disable-warning=${name}`);
  // Commands of the same worker could read what the operator has set for handlers.
  const hiding = ["--import", new URL("../../bin/environment.js", import.meta.url).href];
  const cacheFolder = process.env["NODE_COMPILE_CACHE"] ?? getCompileCacheDir();
  return {
    // A process that finds its code compiled starts in a fraction of the time.
    environment: (cacheFolder === undefined ? {} : { NODE_COMPILE_CACHE: cacheFolder }) as Readonly<
      Record<string, string>
    >,
    argv: [process.execPath, ...flags, ...hiding, program, JSON.stringify(files)],
    loadInline: async () => {
      const { loadInlineHandlers } = await import("./inline.ts");
      return loadInlineHandlers(files);
    },
  };
}
