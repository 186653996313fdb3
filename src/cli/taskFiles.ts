/** Finds the files that `--tasks` names: files, folders with all that is in them, and patterns. */
import { glob, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { limits } from "../model/limits.ts";
import type { TaskFile } from "../runner/taskFiles.ts";
import { UsageError } from "./failure.ts";

const sourcePattern = "**/*.{ts,mts,js,mjs}";
/** Declarations and tests stand beside the code, and are no tasks. */
const leftOut = /(^|\/)node_modules\/|\.d\.m?ts$|\.test\.m?[jt]s$/;

/** @throws UsageError */
export async function findTaskFiles(paths: readonly string[], directory: string): Promise<readonly TaskFile[]> {
  const found = new Map<string, TaskFile>();
  for (const path of paths) {
    const files = await filesAt(path, directory);
    if (files.length === 0) throw new UsageError(`--tasks ${path}: no .ts or .js file there.`);
    for (const file of files) if (found.get(file.path)?.isNamed !== true) found.set(file.path, file);
  }
  if (found.size > limits.taskFilesMax) {
    const hint = "Name the folder that holds the tasks, not the one that holds the whole project.";
    throw new UsageError(`--tasks names ${found.size} files; ${limits.taskFilesMax} are allowed.`, hint);
  }
  return [...found.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function filesAt(path: string, directory: string): Promise<TaskFile[]> {
  const absolute = resolve(directory, path);
  const there = await stat(absolute).catch(() => null);
  if (there?.isFile()) return [{ path: absolute, isNamed: true }];
  if (there?.isDirectory()) return matching(sourcePattern, absolute);
  if (/[*?[\]{}]/.test(path)) return matching(path, directory);
  throw new UsageError(`--tasks ${path}: there is no such file or folder.`, `It is looked for as ${absolute}.`);
}

async function matching(pattern: string, directory: string): Promise<TaskFile[]> {
  const files: TaskFile[] = [];
  for await (const name of glob(pattern, { cwd: directory, exclude: (each) => each.endsWith("node_modules") })) {
    const path = resolve(join(directory, name));
    if (!leftOut.test(path) && (await stat(path)).isFile()) files.push({ path, isNamed: false });
  }
  return files;
}
