/** The tasks beside one that stands alone on a page, so that it is called there as it is in lists. */
import { useQuery } from "@tanstack/react-query";
import { taskListQuery } from "../api/queries.ts";
import type { Task } from "../api/schema.ts";
import { isFirstOfSet } from "./taskTitle.ts";

/** The first two of a set are made one after the other. */
const besideMax = 100;

/** For `titleOf`. Nothing where the title does not depend on them. @param task undefined while it is not known */
export function useSiblings(task: Task | undefined): readonly Task[] {
  const { parent, kind } = task ?? {};
  const query = taskListQuery({ parent, name: kind, order: "oldest", limit: besideMax });
  const isAsked = task !== undefined && parent !== undefined && isFirstOfSet(task);
  return useQuery({ ...query, meta: { of: [] }, enabled: isAsked }).data?.tasks ?? [];
}
