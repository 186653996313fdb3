/** Finds the input of a job: the files that its paths lead to, and which version of each is there. */
import { glob, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../../model/limits.ts";
import { isS3 } from "../../s3/address.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import type { PlannedFile } from "../coordinator/settings.ts";
import { checkPart, isOfOutput, partsOfOutput } from "./earlierOutput.ts";
import { versionAt } from "./openInput.ts";
import { plannedFile } from "./plannedFile.ts";
import { findWebInput, isWeb } from "./webInput.ts";

/** The files that paths lead to, sorted, each once. @throws NonRetryableError if one leads nowhere */
export async function findInput(paths: readonly string[]): Promise<PlannedFile[]> {
  const found = new Map<string, PlannedFile>();
  for (const path of paths) {
    const files = await filesOf(path);
    for (const file of files) found.set(file.path, file);
    if (found.size > limits.jobFilesMax)
      throw new NonRetryableError(`The input has more than ${limits.jobFilesMax} files.`);
  }
  return [...found.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function filesOf(path: string): Promise<PlannedFile[]> {
  if (!isS3(path)) return isWeb(path) ? [await findWebInput(path)] : filesAt(path);
  // Most jobs never need it.
  const { findS3Input } = await import("./s3Input.ts");
  return findS3Input(path);
}

async function filesAt(path: string): Promise<PlannedFile[]> {
  const there = await stat(path).catch(() => null);
  if (there?.isFile() === true) return [await planned(path)];
  if (there?.isDirectory() === true) return folderAt(path);
  const names: string[] = [];
  if (/[*?[\]{}]/.test(path)) {
    for await (const name of glob(path)) if (!isOfOutput(name) && (await stat(name)).isFile()) names.push(name);
  }
  return allOf(path, names);
}

async function folderAt(folder: string): Promise<PlannedFile[]> {
  const parts = await partsOfOutput(folder, (name) => readFile(join(folder, name), "utf8").catch(nullIfAbsent));
  if (parts !== null) {
    return Promise.all(
      parts.map(async (part) => {
        const path = join(folder, part.name);
        const there = await stat(path).catch(nullIfAbsent);
        checkPart(path, part, there?.size ?? null);
        return planned(path);
      }),
    );
  }
  const names: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const isHidden = /(^|\/)[._]/.test(join(entry.parentPath, entry.name).slice(folder.length));
    if (isHidden) continue;
    const name = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await stat(name).catch(nullIfAbsent))?.isFile() === true))
      names.push(name);
  }
  return allOf(folder, names);
}

async function allOf(path: string, names: readonly string[]): Promise<PlannedFile[]> {
  if (names.length > 0) return Promise.all(names.map(planned));
  throw new NonRetryableError(`There is no input at ${path}. Paths must lead to the same files on every worker.`);
}

async function planned(path: string): Promise<PlannedFile> {
  return plannedFile({ path, ...(await versionAt(path)) });
}

function nullIfAbsent(error: NodeJS.ErrnoException): null {
  if (error.code !== "ENOENT") throw error;
  return null;
}
