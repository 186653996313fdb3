/** The plan of a graph: its nodes in an order in which each comes after all that it waits for. A pure function of its input. */
import type { Json } from "../json.ts";
import { quote } from "../kinds/kind.ts";
import { limits } from "../limits.ts";
import type { Problem } from "../problems.ts";
import { suggest } from "../suggestion.ts";
import { type GraphInput, type GraphNode, nodeName } from "./graph.ts";
import { parseReference, referencesIn } from "./references.ts";

export interface PlannedNode {
  readonly name: string;
  readonly node: GraphNode;
  /** Places in the plan of the nodes that it waits for, each lower than its own; in the order of `after`, without repeats. */
  readonly after: readonly number[];
}

/** The input has no problems. Nodes that wait for nothing keep the order of the input. */
export function planGraph({ tasks }: GraphInput): readonly PlannedNode[] {
  const names = sort(tasks).order;
  const places = new Map(names.map((name, index) => [name, index]));
  return names.map((name) => {
    const node = tasks[name] as GraphNode;
    return { name, node, after: [...new Set(node.after)].map((other) => places.get(other) as number) };
  });
}

/** Everything that is wrong with the links between nodes. What is wrong with each node by itself is checked elsewhere. */
export function* problemsOfLinks({ tasks }: GraphInput, path: string): Generator<Problem> {
  const names = Object.keys(tasks);
  const place = (name: string, more = ""): string => `${path}/tasks/${name.slice(0, 80)}${more}`;
  if (names.length === 0) yield { path: `${path}/tasks`, message: "A graph has at least one task." };
  let edges = 0;
  for (const [name, { after = [], runIf }] of Object.entries(tasks)) {
    if (runIf !== undefined && after.length === 0)
      yield { path: place(name, "/runIf"), message: `${quote(name)} has "runIf", but waits for no task.` };
    if (!nodeName.test(name)) {
      const message = `${quote(name)} is no name of a node: use 1 to ${limits.nodeNameLengthMax} letters, digits, _ and -.`;
      yield { path: place(name), message };
    }
    edges += after.length;
    for (const other of new Set(after)) {
      if (Object.hasOwn(tasks, other)) continue;
      const meant = suggest(other, names.slice(0, limits.pageMax));
      const more = meant === null ? "" : ` Did you mean ${quote(meant)}?`;
      const message = `${quote(name)} waits for ${quote(other)}, which is no task of this graph.${more}`;
      yield { path: place(name, "/after"), message };
    }
    const twice = after.find((other, index) => after.indexOf(other) < index);
    if (twice !== undefined && after.length <= limits.pageMax)
      yield { path: place(name, "/after"), message: `${quote(name)} names ${quote(twice)} twice in "after".` };
  }
  if (edges > limits.graphEdgesMax) {
    const message = `The graph has ${edges} links; ${limits.graphEdgesMax} are allowed (graphEdgesMax).`;
    yield { path: `${path}/tasks`, message };
    return;
  }
  const { cycle } = sort(tasks);
  if (cycle.length > 0) {
    const shown = cycle.length <= limits.problemsShownMax ? cycle : [...cycle.slice(0, 10), "…", ...cycle.slice(-5)];
    const message = `The tasks wait for each other in a circle: ${shown.join(" → ")}. Each waits for the next one.`;
    yield { path: place(cycle[0] ?? "", "/after"), message };
  }
}

/** References of one task that mean no task whose output it may take. */
export function* problemsOfReferences(
  task: { readonly kind?: Json; readonly input?: Json },
  path: string,
  visible: readonly string[],
): Generator<Problem> {
  for (const { path: place, body, all } of referencesIn(task, `${path}/input`)) {
    if (parseReference(body, visible) !== null) continue;
    const known = visible.length === 0 ? "It waits for no task." : `It waits for: ${visible.slice(0, 10).join(", ")}.`;
    const message = `${quote(all)} at ${place} takes no output of a task that it waits for. ${known} Write it as $\{tasks.NAME.output.FIELD} or $\{tasks.NAME.artifacts.PATH}, and name the task in "after"; "$$\{tasks." is a plain "$\{tasks.".`;
    yield { path: place, message };
  }
}

/** Kahn's algorithm (https://doi.org/10.1145/368996.369025), which keeps the order of the input among nodes that are ready. */
function sort(tasks: GraphInput["tasks"]): { readonly order: readonly string[]; readonly cycle: readonly string[] } {
  const waiting = new Map<string, number>();
  const followers = new Map<string, string[]>();
  const order: string[] = [];
  for (const [name, { after = [] }] of Object.entries(tasks)) {
    const others = [...new Set(after)].filter((other) => Object.hasOwn(tasks, other));
    waiting.set(name, others.length);
    if (others.length === 0) order.push(name);
    for (const other of others) {
      const known = followers.get(other);
      if (known === undefined) followers.set(other, [name]);
      else known.push(name);
    }
  }
  for (let index = 0; index < order.length; index += 1) {
    for (const follower of followers.get(order[index] as string) ?? []) {
      const left = (waiting.get(follower) ?? 0) - 1;
      waiting.set(follower, left);
      if (left === 0) order.push(follower);
    }
  }
  if (order.length === waiting.size) return { order, cycle: [] };
  return { order, cycle: cycleAmong(tasks, new Set(order)) };
}

/** Each node that is left waits for another one that is left, so a walk along these must come back to itself. */
function cycleAmong(tasks: GraphInput["tasks"], done: ReadonlySet<string>): readonly string[] {
  const path: string[] = [];
  const places = new Map<string, number>();
  let name = Object.keys(tasks).find((each) => !done.has(each));
  while (name !== undefined) {
    const seenAt = places.get(name);
    if (seenAt !== undefined) return [...path.slice(seenAt), name];
    places.set(name, path.length);
    path.push(name);
    name = tasks[name]?.after?.find((other) => Object.hasOwn(tasks, other) && !done.has(other));
  }
  return path;
}
