/** A scheduler with graphs, and what the shell reads for it, at once and from what the journal says. */
import type { SchedulerEffect } from "../../core/scheduler/effects.ts";
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import { childId, childPrefix, nodesKey } from "../../model/family.ts";
import type { GraphInput, GraphNode } from "../../model/graphs/graph.ts";
import { planGraph } from "../../model/graphs/plan.ts";
import { type EndedTask, fillInput } from "../../model/graphs/references.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { inputSchemaOf } from "../../model/submission.ts";
import { FamilyWorld } from "./familyWorld.ts";

export class GraphWorld extends FamilyWorld {
  /** True while nothing that the scheduler asks for comes back. */
  isReadingHeld = false;
  readonly inputs = new Map<string, Json>();

  graph(id: string, tasks: { readonly [name: string]: Partial<GraphNode> }, more: Partial<GraphInput> = {}) {
    const nodes = Object.entries(tasks).map(([name, node]) => [name, { kind: "crawl", input: {}, ...node }]);
    const input = { tasks: Object.fromEntries(nodes) as GraphInput["tasks"], ...more };
    return this.submit(id, { kind: "graph", input: input as unknown as Json });
  }

  /** The id of a node; `sub/leaf` names a node of a graph in the graph. */
  node(graph: string, path: string): string {
    const [name = "", ...rest] = path.split("/");
    const { input } = this.specs.get(graph) ?? {};
    const index = planGraph((this.inputs.get(graph) ?? input) as unknown as GraphInput).findIndex(
      (each) => each.name === name,
    );
    const id = childId(childPrefix(graph as TaskId, 0, nodesKey), index);
    return rest.length === 0 ? id : this.node(id, rest.join("/"));
  }

  /** States of nodes by name. */
  states(graph: string, ...names: string[]): string[] {
    return names.map((name) => this.state(this.node(graph, name)) ?? "none");
  }

  protected override read(effect: SchedulerEffect): readonly SchedulerInput[] {
    if (this.isReadingHeld) return [];
    switch (effect.kind) {
      case "load-graph":
        return [{ kind: "graph-loaded", task: effect.task, input: this.#inputOf(effect.task) }];
      case "resolve-inputs":
        return effect.tasks.map((task) => this.#resolve(task));
      case "conclude-graph": {
        const names = planGraph(this.#inputOf(effect.task) as unknown as GraphInput).map(({ name }) => name);
        const outputs = names.map((name): [string, Json] => [
          name,
          this.statuses.get(this.node(effect.task, name))?.output ?? null,
        ]);
        return [
          {
            kind: "graph-concluded",
            task: effect.task,
            output: Object.fromEntries<Json>(outputs),
            reason: "it failed",
          },
        ];
      }
      default:
        return super.read(effect);
    }
  }

  #resolve(task: TaskId): SchedulerInput {
    const { kind = "", input = null, after = [], afterNames = after } = this.specs.get(task) ?? {};
    const tasks = after.map((id, index): [string, EndedTask] => {
      const { state, output = null } = this.statuses.get(id) ?? {};
      return [afterNames[index] ?? "", { isSuccess: state === "success", output }];
    });
    try {
      const filled = fillInput({ kind, input }, new Map(tasks), inputSchemaOf);
      this.inputs.set(task, filled);
      return { kind: "input-resolved", task, input: filled };
    } catch (error) {
      return { kind: "input-resolved", task, problem: String(error) };
    }
  }

  #inputOf(task: TaskId): Json {
    return this.inputs.get(task) ?? this.specs.get(task)?.input ?? null;
  }
}
