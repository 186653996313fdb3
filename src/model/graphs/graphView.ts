/** How a graph is shown: its nodes with their links and states, a page at a time, and what surrounds a task. */
import type { AttemptError } from "../attemptError.ts";
import type { TaskId } from "../ids.ts";
import type { TaskState } from "../task.ts";
import type { RunCondition } from "./conditions.ts";

export interface GraphNodeView {
  readonly name: string;
  readonly id: TaskId;
  readonly kind: string;
  /** Null before it is created. */
  readonly state: TaskState | null;
  readonly attempt: number;
  /** Names of the nodes that it waits for. */
  readonly after: readonly string[];
  readonly runIf: RunCondition;
  readonly host?: string;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly error?: AttemptError;
  /** Of a node that is a graph: how many nodes it has. It is walked by its own id. */
  readonly nodes?: number;
}

/** A task beside the one that was asked for. */
export interface LinkedTask {
  readonly id: TaskId;
  /** Null if it is not there any more. */
  readonly state: TaskState | null;
}

export interface GraphView {
  readonly id: TaskId;
  readonly name: string;
  readonly kind: string;
  readonly state: TaskState;
  readonly parent: TaskId | null;
  /** The tasks that it waits for. */
  readonly after: readonly LinkedTask[];
  /** Tasks that wait for it: nodes of its graph, also once they have begun, and others while they are blocked. At most a page of them. */
  readonly dependents: readonly TaskId[];
  /** How many nodes it has; 0 for a task that is no graph. */
  readonly total: number;
  /** Its nodes in an order in which each comes after all that it waits for. */
  readonly nodes: readonly GraphNodeView[];
  /** Send it as `cursor` to get the next nodes; null at the end. */
  readonly next: number | null;
}
