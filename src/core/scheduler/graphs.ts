/** While it leads: graphs whose nodes are being created, and graphs whose nodes have all ended. */
import type { PlannedNode } from "../../model/graphs/plan.ts";
import type { TaskId } from "../../model/ids.ts";

/** A graph whose nodes are created, some in each entry. */
export interface GraphInMaking {
  readonly plan: readonly PlannedNode[];
  readonly queue: string;
  readonly priority: number;
  /** The trace that the graph belongs to. */
  readonly traceparent?: string;
}

export class Graphs {
  readonly inMaking = new Map<TaskId, GraphInMaking>();
  /** Their outcome follows from how their nodes ended; what they give back has yet to be read. */
  readonly over = new Set<TaskId>();
}
