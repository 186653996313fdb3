/** DuckDB, Polars and PySpark, in a virtual environment in the cache: never in the checkout, nor in the package. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachePath, filledOnce } from "../../scripts/cache.ts";
import { lastLine } from "../../scripts/lastLine.ts";
import { findPython } from "../../scripts/python.ts";

const run = promisify(execFile);

const requirementsFile = join(import.meta.dirname, "requirements.txt");
const requirements = readFileSync(requirementsFile, "utf8");
const folderName = `mapreduce-peers-${createHash("sha256").update(requirements).digest("hex").slice(0, 12)}`;
/** PySpark alone is 450 MB. */
const installMsMax = 20 * 60_000;

/** @throws Error with a sentence if they cannot be had on this machine */
export async function installPythonPackages(): Promise<void> {
  const python = await findPython("The comparison");
  await filledOnce(folderName, async (folder) => {
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
    const wheels = ["--only-binary=:all:", "--no-binary=pyspark"];
    try {
      await run(python.path, ["-m", "venv", folder], { timeout: installMsMax });
      await run(pythonProgram("python"), [...pip, ...wheels, "-r", requirementsFile], { timeout: installMsMax });
    } catch (error) {
      throw new Error(`The Python packages cannot be installed: ${lastLine(error)}`, { cause: error });
    }
  });
}

export function arePythonPackagesInstalled(): boolean {
  return existsSync(cachePath(folderName, "installed"));
}

/** The path of a program of that environment. */
export function pythonProgram(name: string): string {
  return cachePath(folderName, "bin", name);
}

/** The version of a package that is installed there. */
export function versionOf(name: string): string {
  return new RegExp(`^${name}==(\\S+)`, "m").exec(requirements)?.[1] ?? "";
}
