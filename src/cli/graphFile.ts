/** Graphs in files: the whole submission, or short, with `tasks` at the top. In YAML or JSON. */
import { basename } from "node:path";
import type { Json, JsonObject } from "../model/json.ts";
import { isObject } from "../model/kinds/kind.ts";
import { readContent } from "./contentFile.ts";
import { UsageError } from "./failure.ts";

/** True for what can only be a file: names of templates have no such end. */
export function isGraphFile(name: string): boolean {
  return /[.](ya?ml|json)$/i.test(name) || name.includes("/");
}

export function isYaml(file: string): boolean {
  return /[.]ya?ml$/i.test(file);
}

/** The task in a YAML file, as JSON. */
export async function readGraphs(file: string): Promise<string> {
  const content = toSubmission(await readContent(file), file);
  refuseOthers(content, file);
  return JSON.stringify(content);
}

/** @throws UsageError if the file holds no graph */
export async function readGraphFile(file: string): Promise<JsonObject> {
  const content = toSubmission(await readContent(file), file);
  if (content["kind"] === "graph") return content;
  refuseOthers(content, file);
  if (content["tasks"] !== undefined)
    throw new UsageError(
      `"tasks" in ${file} is no object.`,
      "It has the names of tasks: tasks: { load: { kind: … }, … }",
    );
  throw new UsageError(`${file} holds no graph: it has no "tasks".`, `outlast submit --file ${file} takes any task.`);
}

/** @throws UsageError if the file holds a template or a schedule, which have a task in them */
function refuseOthers({ kind, when, task }: JsonObject, file: string): void {
  if (kind !== undefined) return;
  if (when !== undefined)
    throw new UsageError(`${file} is a schedule.`, `outlast schedule put ${file} lets it make tasks at its times.`);
  if (task !== undefined)
    throw new UsageError(
      `${file} is a template.`,
      `outlast template put ${file} keeps it, and outlast run NAME --var … creates a task from it.`,
    );
}

/** A graph that is written short becomes a submission; everything else stays as it is. */
export function toSubmission(content: JsonObject, file: string): JsonObject {
  const { tasks, onFailure, ...rest } = content;
  if (rest["kind"] !== undefined || !isObject(tasks ?? null)) return content;
  const input: Json = { tasks: tasks ?? null, ...(onFailure !== undefined && { onFailure }) };
  return { name: basename(file).replace(/[.][a-z]+$/i, ""), ...rest, kind: "graph", input };
}
