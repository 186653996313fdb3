/** The one form of tasks that may be written in several: stores, workers and masters of earlier versions know only that one. */
import { nodesOf } from "../graphs/references.ts";
import type { Json } from "../json.ts";
import { isObject } from "./kind.ts";
import { findKind } from "./table.ts";

/** The same task, or a copy with another input, also of a task that has not been checked. The nodes of a graph are tasks, too. */
export function inNormalForm<Task extends object>(task: Task): Task {
  const { kind, input } = task as { readonly kind?: Json; readonly input?: Json };
  if (!isObject(input) || typeof kind !== "string") return task;
  const normal = kind === "graph" ? withNormalNodes(input) : (findKind(kind)?.normalize?.(input) ?? input);
  return normal === input ? task : { ...task, input: normal };
}

function withNormalNodes(input: { readonly [name: string]: Json }): typeof input {
  const changed = nodesOf(input)
    .map(([name, node]) => ({ name, node, normal: inNormalForm(node) }))
    .filter(({ node, normal }) => normal !== node);
  if (changed.length === 0) return input;
  const tasks = {
    ...(input["tasks"] as object),
    ...Object.fromEntries(changed.map(({ name, normal }) => [name, normal])),
  };
  return { ...input, tasks };
}
