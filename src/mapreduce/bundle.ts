/** Makes one file of a job's module and all that it imports, so that every attempt of the job runs the same bytes. */
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { OutlastError } from "../model/errors.ts";
import { limits } from "../model/limits.ts";

export interface JobCode {
  /** 64 hex digits. */
  readonly sha256: string;
  readonly text: string;
}

const extension = extname(import.meta.url);
/**
 * This copy of the package, also for modules that stand where none is installed. Of `outlast/mapreduce` only what defines jobs: the rest
 * is for those who submit them.
 */
const ownEntries: { readonly [specifier: string]: string } = {
  outlast: fileURLToPath(new URL(`../sdk/index${extension}`, import.meta.url)),
  "outlast/mapreduce": fileURLToPath(new URL(`./job${extension}`, import.meta.url)),
};

/** @throws OutlastError `invalid` if the module cannot be bundled, or is too large */
export async function bundle(path: string): Promise<JobCode> {
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node24",
    treeShaking: true,
    // The stack of an error in a map then names the line of the source.
    sourcemap: "inline",
    sourcesContent: false,
    absWorkingDir: "/",
    sourceRoot: "file:///",
    logLevel: "silent",
    plugins: [
      {
        name: "own-package",
        setup(plugin) {
          plugin.onResolve({ filter: /^outlast(\/mapreduce)?$/ }, ({ path: specifier }) => {
            const own = ownEntries[specifier];
            return own === undefined ? undefined : { path: own, sideEffects: false };
          });
        },
      },
    ],
  }).catch((error: unknown) => {
    throw new OutlastError(
      "invalid",
      `${path} cannot be bundled: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const text = result.outputFiles[0]?.text ?? "";
  const bytes = Buffer.byteLength(text);
  if (bytes <= limits.jobCodeBytesMax) return { sha256: createHash("sha256").update(text).digest("hex"), text };
  const hint = "Import less: the functions of a job travel with everything that their module imports.";
  throw new OutlastError(
    "invalid",
    `The module has ${bytes} bytes with its imports; ${limits.jobCodeBytesMax} are allowed.`,
    { hint },
  );
}
