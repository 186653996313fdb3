/** While it leads: broadcasts with nodes that have not ended, and the workers that these wait for. */
import type { TaskId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";

export class Broadcasts {
  readonly open = new Set<TaskId>();
  /** Workers that such nodes wait for and that are away: for how many ms that was seen. */
  away: ReadonlyMap<WorkerId, number> = new Map();
  checkedAt = 0;

  get nextCheckAt(): number | null {
    return this.open.size === 0 ? null : this.checkedAt + limits.broadcastCheckMs;
  }
}
