/** While it leads: broadcasts with nodes that have not ended, and the workers that these wait for. */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";

export class Broadcasts {
  readonly open = new Set<TaskId>();
  /** Such nodes whose worker is away: for how many ms that was seen, and which session of it is there or when it went. */
  away: ReadonlyMap<TaskId, { readonly ms: number; readonly sight: string }> = new Map();
  checkedAt = 0;

  get nextCheckAt(): number | null {
    return this.open.size === 0 ? null : this.checkedAt + limits.broadcastCheckMs;
  }
}
