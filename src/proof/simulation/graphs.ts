/** Graphs of all shapes, and tasks that wait for earlier ones, as simulated clients ask for them. */
import type { GraphNode } from "../../model/graphs/graph.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import type { Submission } from "../../model/submission.ts";
import { simulatedCommand } from "./executor.ts";
import type { Random } from "./random.ts";

const conditions = ["success", "failure", "always"] as const;

/** Turns some submissions into graphs, and lets some wait for tasks that the client knows of. */
export function linked(submission: Submission, random: Random, known: readonly TaskId[]): Submission {
  const { kind, input } = random.chance(0.15) ? drawGraph(random, 0) : submission;
  const after =
    known.length > 0 && random.chance(0.15) ? [...new Set([random.pick(known.slice(-12)), random.pick(known)])] : [];
  const links = after.length === 0 ? {} : { after, ...(random.chance(0.4) && { runIf: random.pick(conditions) }) };
  if (kind !== "graph") return { ...submission, ...links };
  const { id, queue, priority, startAt } = submission;
  return {
    ...{ kind, input, ...links },
    ...(id !== undefined && { id }),
    ...(queue !== undefined && { queue }),
    ...(priority !== undefined && { priority }),
    ...(startAt !== undefined && { startAt }),
  };
}

function drawGraph(random: Random, depth: number): { readonly kind: "graph"; readonly input: Json } {
  const names = Array.from({ length: random.integer(1, 7) }, (_, index) => `n${index}`);
  const nodes = names.map((name, index) => [name, drawNode(random, names.slice(0, index), depth)] as const);
  // Each waits for ones before it; in the input they stand in any order.
  nodes.sort(() => random.next() - 0.5);
  const policy = random.pick(["stop", "continue", null] as const);
  const input = { tasks: Object.fromEntries(nodes), ...(policy !== null && { onFailure: policy }) };
  return { kind: "graph", input: input as unknown as Json };
}

function drawNode(random: Random, earlier: readonly string[], depth: number): GraphNode {
  const after = earlier.filter(() => random.chance(0.4));
  const links = after.length === 0 ? {} : { after, ...(random.chance(0.35) && { runIf: random.pick(conditions) }) };
  if (depth < 2 && random.chance(0.15)) return { ...drawGraph(random, depth + 1), ...links };
  const durationMs = random.spread(1, 4_000);
  const common = { ...links, attemptsMax: random.integer(1, 2), backoffBaseMs: 50, backoffMaxMs: 500 };
  if (random.chance(0.3)) return { ...common, kind: "sleep", input: { seconds: durationMs / 1000 } };
  const command = simulatedCommand(durationMs, random.pick([0, 0, 20, 100]));
  const source = after.length > 0 && random.chance(0.6) ? random.pick(after) : null;
  const given = source === null ? [] : [`\${tasks.${source}.output.token}`];
  return { ...common, kind: "exec", input: { command: [...command, ...given] } };
}
