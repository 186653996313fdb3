/** What lists of tasks take and give. */
import type { TaskDocument, TaskState } from "../model/task.ts";
import type { WaitingReason } from "../model/waiting.ts";
import type { ReadOptions } from "./callOptions.ts";

export interface ListFilter extends ReadOptions {
  readonly states?: readonly TaskState[];
  readonly queue?: string;
  readonly name?: string;
  /** The worker of the current or last attempt. */
  readonly host?: string;
  /** Only children of this task. */
  readonly parent?: string;
  /** True for tasks without a parent only; not together with `parent`. */
  readonly roots?: boolean;
  /** Only tasks that wait for this. A page may then be short, even empty, before the end. */
  readonly waiting?: WaitingReason;
  /** By creation; newest first if left out. */
  readonly order?: "newest" | "oldest";
}

export interface ListOptions extends ListFilter {
  /** From the page before. */
  readonly cursor?: string;
  /** 1 to `limits.pageMax`. */
  readonly limit?: number;
}

export interface TaskList {
  readonly tasks: readonly TaskDocument[];
  /** Give it back for the next page; null at the end. */
  readonly cursor: string | null;
}

/** The path of one page. */
export function listPath(options: ListOptions): string {
  const query = new URLSearchParams();
  if (options.states !== undefined && options.states.length > 0) query.set("state", options.states.join(","));
  for (const name of [
    "queue",
    "name",
    "host",
    "parent",
    "roots",
    "waiting",
    "order",
    "cursor",
    "limit",
    "consistent",
  ] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, String(value));
  }
  const text = query.toString();
  return `/v1/tasks${text === "" ? "" : `?${text}`}`;
}
