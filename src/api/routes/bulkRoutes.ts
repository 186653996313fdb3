/** Cancelling, deleting and retrying many tasks by the filter that lists them. */
import type { BulkAction } from "../../master/service/bulkApi.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { TaskState } from "../../model/task.ts";
import type { Route } from "./route.ts";
import { rootsFilter } from "./taskRoutes.ts";

interface Body {
  readonly filter: {
    readonly state?: readonly TaskState[];
    readonly queue?: string;
    readonly name?: string;
    readonly host?: string;
    readonly parent?: TaskId;
    readonly roots?: boolean;
  };
  readonly cursor?: string;
  readonly limit?: number;
  readonly isDryRun?: boolean;
}

export const bulkRoutes: readonly Route[] = [
  bulkRoute("cancel", "Cancel the unfinished tasks that match, a part of them; ask again with the cursor."),
  bulkRoute(
    "delete",
    "Delete the finished tasks without a parent that match, a part of them, each with all that is below it; ask again with the cursor.",
  ),
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
      const { state, roots, ...rest } = filter;
      const isRoot = rootsFilter({ roots, parent: rest.parent });
      const wanted = { ...rest, ...isRoot, ...(state !== undefined && { states: state }) };
      if (Object.keys(wanted).length === 0) {
        const hint = "To mean all tasks, name all their states.";
        throw new OutlastError("invalid", "The filter names nothing.", { path: "/filter", hint });
      }
      return master.bulk.run(action, { filter: wanted, cursor, limit, isDryRun });
    },
  };
}
