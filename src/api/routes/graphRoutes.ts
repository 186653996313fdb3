/** Walking a graph. */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { whole } from "../../model/schema.ts";
import { pathId, type Route, taskParameter } from "./route.ts";
import { noSuchTask } from "./taskRoutes.ts";

export const graphRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/tasks/:id/graph",
    name: "getGraph",
    access: { needs: "read", of: "task" },
    summary:
      "Walk a graph as it stands: nodes, links and states, page by page. Of any task: its parent, what it waits for, and what waits for it.",
    tag: "tasks",
    parameters: taskParameter,
    query: {
      cursor: whole(0, limits.graphTasksMax, "graphTasksMax", { default: 0 }),
      limit: whole(1, limits.pageMax, "pageMax", { default: limits.pageDefault }),
    },
    needsLeader: true,
    answers: { 200: { description: "One page of the graph.", schema: "Graph" } },
    handle: async (request, _reply, { master, actor }) => {
      const { cursor = 0, limit = limits.pageDefault } = request.query as { cursor?: number; limit?: number };
      const task = pathId<TaskId>(request);
      const graph = await master.readGraph(task, cursor, limit);
      if (graph === null) throw noSuchTask(task, actor);
      return graph;
    },
  },
];
