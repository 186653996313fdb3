/** Schemas of how graphs are shown. */
import { runConditions } from "../../model/graphs/conditions.ts";
import { count, instant, list, oneOf, open, orNull, ref, text } from "../../model/schema.ts";

const stateOrNull = { anyOf: [ref("TaskState"), { type: "null" }], description: "Null if it is not there (yet)." };

export const graphSchemas = {
  GraphNode: open(
    {
      name: text,
      id: text,
      kind: text,
      state: stateOrNull,
      attempt: count,
      after: list(text, { description: "Names of the nodes that it waits for." }),
      runIf: oneOf(runConditions),
    },
    {
      host: text,
      startedAt: instant,
      endedAt: instant,
      error: ref("AttemptError"),
      nodes: { ...count, description: "Of a node that is a graph: how many nodes it has. Walk it by its own id." },
    },
  ),
  Graph: open({
    id: text,
    name: text,
    kind: text,
    state: ref("TaskState"),
    parent: orNull(text),
    after: list(open({ id: text, state: stateOrNull }), { description: "The tasks that it waits for." }),
    dependents: list(text, {
      description:
        "Tasks that wait for it: nodes of its graph, also once they have begun, and others while they are blocked. At most a page of them.",
    }),
    total: { ...count, description: "How many nodes it has; 0 for a task that is no graph." },
    nodes: list(ref("GraphNode"), {
      description: "In an order in which each comes after all that it waits for.",
    }),
    next: orNull({ ...count, description: "Send it as `cursor` to get the next nodes; null at the end." }),
  }),
};
