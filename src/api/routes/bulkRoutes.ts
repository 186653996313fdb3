/** Cancelling, deleting and retrying many tasks by the filter that lists them. */
import type { BulkAction } from "../../master/service/bulkApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import type { TaskState } from "../../model/task.ts";
import type { Route } from "./route.ts";

interface Body {
  readonly filter: {
    readonly state?: readonly TaskState[];
    readonly queue?: string;
    readonly name?: string;
    readonly host?: string;
  };
  readonly cursor?: string;
  readonly limit?: number;
  readonly isDryRun?: boolean;
}

export const bulkRoutes: readonly Route[] = [
  bulkRoute("cancel", "Cancel the unfinished tasks that match, a part of them; ask again with the cursor."),
  bulkRoute("delete", "Delete the finished tasks that match, a part of them; ask again with the cursor."),
  bulkRoute(
    "retry",
    "Retry the tasks that match (those that failed, unless states are named), a part of them; ask again with the cursor.",
  ),
];

function bulkRoute(action: BulkAction, summary: string): Route {
  return {
    method: "POST",
    access: action === "delete" ? { needs: "control", of: "each" } : { needs: "submit", of: "each", isOwnOnly: true },
    path: `/v1/bulk/${action}`,
    name: `${action}Tasks`,
    summary,
    tag: "tasks",
    body: { schema: "BulkRequest", limit: "smallBodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "What was done, in whole, when the answer comes.", schema: "BulkAnswer" } },
    handle: (request, _reply, { master }) => {
      const { filter, cursor = null, limit = limits.bulkPageMax, isDryRun = false } = request.body as Body;
      if (Object.keys(filter).length === 0) {
        const hint = "To mean all tasks, name all their states.";
        throw new OutlastError("invalid", "The filter names nothing.", { path: "/filter", hint });
      }
      const { state, ...rest } = filter;
      return master.bulk.run(action, {
        filter: { ...rest, ...(state !== undefined && { states: state }) },
        ...{ cursor, limit, isDryRun },
      });
    },
  };
}
