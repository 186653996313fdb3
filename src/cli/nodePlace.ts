/** Takes the name of a node of a graph in the place of its long id: `nightly/load`, or `nightly/sub/load`, as `outlast graph` prints it. */
import type { GraphNodeView } from "../model/graphs/graphView.ts";
import { limits } from "../model/limits.ts";
import { suggest } from "../model/suggestion.ts";
import type { Outlast } from "../sdk/client.ts";
import { taskArgument } from "./arguments.ts";
import { UsageError } from "./failure.ts";

/** A parser for the id of a task, or the id of a graph and the name of a node. */
export function nodeArgument(text: string): string {
  const [id = "", ...names] = text.split("/");
  return [taskArgument(id), ...names].join("/");
}

/** The same for an argument that may be repeated. */
export function nodesArgument(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, nodeArgument(text)];
}

/** The ids of all tasks that were named, before anything is done to one of them. @throws UsageError if a graph has no such node */
export async function idsOfNodes(client: Outlast, places: readonly string[], signal: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  for (const place of places) ids.push(await idOfNode(client, place, signal));
  return ids;
}

/** The id of the task that was named so. @throws UsageError if a graph has no such node */
export async function idOfNode(client: Outlast, place: string, signal: AbortSignal): Promise<string> {
  const [top = "", ...names] = place.split("/");
  let id = top;
  for (const name of names) id = (await findNode(client, id, name, signal)).id;
  return id;
}

async function findNode(client: Outlast, id: string, name: string, signal: AbortSignal): Promise<GraphNodeView> {
  const names: string[] = [];
  let kind = "";
  for (let cursor: number | null = 0; cursor !== null; ) {
    const page = await client.graph(id, { cursor, limit: limits.pageMax, signal });
    const found = page.nodes.find((node) => node.name === name);
    if (found !== undefined) return found;
    names.push(...page.nodes.map((node) => node.name));
    ({ kind, next: cursor } = page);
  }
  if (kind !== "graph") throw new UsageError(`Task ${id} is no graph, so it has no node ${JSON.stringify(name)}.`);
  const meant = suggest(name, names.slice(0, limits.pageMax));
  const hint = meant === null ? `outlast graph ${id} shows its nodes.` : `Did you mean ${id}/${meant}?`;
  throw new UsageError(`The graph ${id} has no node ${JSON.stringify(name)}.`, hint);
}
