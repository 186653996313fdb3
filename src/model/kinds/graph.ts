/** The kind `graph`: tasks that wait for each other. The masters decide it; no worker runs it. */
import { OutlastError } from "../errors.ts";
import { type GraphInput, type GraphNode, graphInputSchema } from "../graphs/graph.ts";
import { problemsOfLinks } from "../graphs/plan.ts";
import type { JsonObject } from "../json.ts";
import { limits } from "../limits.ts";
import { type Problem, toError } from "../problems.ts";
import { isObject, type KindDefinition, type TaskScope } from "./kind.ts";

export const graphKind: KindDefinition = {
  name: "graph",
  inputName: "GraphInput",
  inputSchema: graphInputSchema,
  needsNoWorker: true,
  check: checkGraph,
  describe: ({ tasks = null }) => (isObject(tasks) ? `graph of ${countOf(tasks)}` : null),
};

/** Names everything that is wrong with it in one error. */
function checkGraph(input: JsonObject, path: string, scope: TaskScope): void {
  const { visible, depth } = scope;
  const problems: Problem[] = [];
  if (depth + 1 >= limits.familyDepthMax) {
    const message = `Graphs are nested more than ${limits.familyDepthMax - 1} deep (familyDepthMax).`;
    throw toError([{ path, message }], "the graph");
  }
  const { tasks } = input as unknown as GraphInput;
  const outer = visible.filter((name) => !Object.hasOwn(tasks, name));
  for (const [name, node] of Object.entries(tasks)) {
    const place = `${path}/tasks/${name.slice(0, 80)}`;
    try {
      const after = hasLinks(node) ? (node.after ?? []) : [];
      scope.checkTask(node as unknown as JsonObject, place, {
        ...scope,
        visible: [...after, ...outer],
        depth: depth + 1,
      });
    } catch (error) {
      if (!(error instanceof OutlastError)) throw error;
      problems.push(...problemsOf(error, place, name));
    }
    if (problems.length > limits.problemsShownMax) break;
  }
  // Links can be followed only if each list of them is one.
  if (Object.values(tasks).every(hasLinks)) problems.push(...problemsOfLinks({ tasks }, path));
  if (problems.length > 0) throw toError(problems, "the graph");
}

function hasLinks({ after = [] }: GraphNode): boolean {
  return Array.isArray(after) && after.every((name) => typeof name === "string");
}

/** Everything that is wrong with one node, told with its name. */
function problemsOf(error: OutlastError, place: string, name: string): readonly Problem[] {
  const listed = error.details["problems"] as readonly Problem[] | undefined;
  const found = listed ?? [{ path: error.details.path ?? place, message: error.message }];
  return found.map(({ path, message }) => ({
    path,
    message: `${name}: ${message}`,
  }));
}

function countOf(tasks: JsonObject): string {
  const count = Object.keys(tasks).length;
  return count === 1 ? "1 task" : `${count} tasks`;
}
