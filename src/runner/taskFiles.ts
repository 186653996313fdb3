/** Loads the task definitions that a worker runs, and says of everything that is wrong in which file and line it stands. */
import { fileURLToPath, pathToFileURL } from "node:url";
import { legible } from "../model/thrown.ts";
import { type AnyTaskDefinition, isDefinition } from "../sdk/handler/definition.ts";

/** A file to load. */
export interface TaskFile {
  /** Absolute. */
  readonly path: string;
  /** False if it was found in a folder or by a pattern, where files may also hold something else. */
  readonly isNamed: boolean;
}

export interface LoadedTasks {
  readonly definitions: ReadonlyMap<string, AnyTaskDefinition>;
  /** Sentences that name file and line; if there are any, the worker must not start. */
  readonly problems: readonly string[];
}

export async function loadTasks(files: readonly TaskFile[]): Promise<LoadedTasks> {
  const definitions = new Map<string, AnyTaskDefinition>();
  const problems: string[] = [];
  for (const file of files) {
    let exported: Record<string, unknown>;
    try {
      exported = (await import(pathToFileURL(file.path).href)) as Record<string, unknown>;
    } catch (error) {
      problems.push(describeLoadError(file.path, error));
      continue;
    }
    const found = Object.values(exported).filter(isDefinition);
    if (found.length === 0 && file.isNamed) problems.push(describeEmpty(file.path, exported));
    for (const definition of found) {
      const other = definitions.get(definition.name);
      if (other === undefined) definitions.set(definition.name, definition);
      else if (other !== definition) problems.push(describeDouble(definition, other, file.path));
    }
  }
  if (files.length > 0 && definitions.size === 0 && problems.length === 0) {
    problems.push("None of the task files exports a task made with defineTask().");
  }
  return { definitions, problems };
}

function describeEmpty(path: string, exported: Record<string, unknown>): string {
  const names = Object.keys(exported);
  const what = names.length === 0 ? "exports nothing" : `exports ${names.join(", ")}, none of them a task`;
  return `${path}: ${what}. Export what defineTask() returns: export const resize = defineTask({ … }).`;
}

function describeDouble(definition: AnyTaskDefinition, other: AnyTaskDefinition, path: string): string {
  return `${definition.place ?? path}: a task "${definition.name}" is defined at ${other.place ?? "another place"} already. Give one of them another name.`;
}

/** `file:line: what is wrong`; the line is that of the mistake, which may stand in a file that the task file imports. */
export function describeLoadError(path: string, error: unknown): string {
  if (!(error instanceof Error)) return `${path}: it threw ${legible(() => error)} while it was loaded.`;
  const { message, stack = "" } = error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const place = placeIn(stack) ?? path;
  const what = message.split("\n")[0] ?? "";
  if (code === "ERR_MODULE_NOT_FOUND") return `${importedFrom(message) ?? place}: ${what}`;
  return `${place}: ${error.name}: ${what}`;
}

/** The first `file:line` in a stack that is not Node's own. A syntax error's stack begins with it. */
function placeIn(stack: string): string | null {
  for (const line of stack.split("\n")) {
    const match = /(file:\/\/\/[^\s()]+?|\/[^\s():]+):(\d+)(?::\d+)?\)?$/.exec(line.trim());
    if (match === null || line.includes("node:internal")) continue;
    const [, where = "", number = ""] = match;
    const file = where.startsWith("file:") ? fileURLToPath(where) : where;
    return `${file}:${number}`;
  }
  return null;
}

function importedFrom(message: string): string | null {
  return /imported from (.+)$/.exec(message.split("\n")[0] ?? "")?.[1] ?? null;
}
