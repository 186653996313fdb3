/**
 * Where `import … from "outlast"` leads in a process that runs handlers: to the copy that the tasks' own project has installed, and
 * to the worker's own if there is none. So a worker can run a single file that stands anywhere.
 */
import { registerHooks } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const own = fileURLToPath(import.meta.url);
/** The root of the package that this file belongs to: this is `src/runner/…` or `dist/runner/…`. */
const root = dirname(dirname(dirname(own)));
const rootUrl = pathToFileURL(join(root, "/")).href;

/** The worker's own copy of each entry of the package. */
const entries: { readonly [specifier: string]: string } = {
  outlast: pathToFileURL(join(dirname(dirname(own)), "sdk", `index${extname(own)}`)).href,
  "outlast/mapreduce": pathToFileURL(join(dirname(dirname(own)), "mapreduce", `index${extname(own)}`)).href,
  "outlast/testing": pathToFileURL(join(dirname(dirname(own)), "testing", `index${extname(own)}`)).href,
};

export function useOwnSdkIfNoneIsInstalled(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const entry = entries[specifier];
      if (entry === undefined) return next(specifier, context);
      try {
        const found = next(specifier, context);
        // Within this package its name leads to what was built last, which may be older than what runs.
        if (!found.url.startsWith(rootUrl) || found.url.includes("/node_modules/", rootUrl.length)) return found;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
      }
      return { url: entry, format: entry.endsWith(".ts") ? "module-typescript" : "module", shortCircuit: true };
    },
  });
}
