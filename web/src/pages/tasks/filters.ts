/** The filters of the list of tasks, as they stand in its address. */
import type { Queue, TaskState } from "../../api/schema.ts";
import { taskStates } from "../../parts/states.tsx";
import { waitingReasons } from "../../parts/waiting.ts";

export interface TaskFilters {
  /** States, separated by commas. */
  readonly state?: string;
  readonly queue?: string;
  readonly host?: string;
  readonly name?: string;
  /** Only children of this task. */
  readonly parent?: string;
  /** Only tasks without a parent. */
  readonly roots?: true;
  /** Only tasks that wait for this reason. */
  readonly waiting?: string;
  readonly order?: "newest" | "oldest";
}

/** Whatever an address says, without what means nothing. */
export function readFilters(search: Readonly<Record<string, unknown>>): TaskFilters {
  const text = (name: string) => (typeof search[name] === "string" && search[name] !== "" ? search[name] : undefined);
  const states = statesOf(text("state"));
  return {
    ...(states.length > 0 && { state: states.join(",") }),
    ...optional("queue", text("queue")),
    ...optional("host", text("host")),
    ...optional("name", text("name")),
    ...optional("parent", text("parent")),
    ...(search["roots"] === true && text("parent") === undefined && { roots: true as const }),
    ...(waitingReasons.includes(text("waiting") ?? "") && optional("waiting", text("waiting"))),
    ...(search["order"] === "oldest" && { order: "oldest" as const }),
  };
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]: string });
}

export function statesOf(text: string | undefined): TaskState[] {
  const given = new Set((text ?? "").split(","));
  return taskStates.filter((state) => given.has(state));
}

/** What waits to be started: for the first time, after a failure, or after the loss of a worker. */
export const queuedStates: readonly TaskState[] = ["created", "retrying", "killed"];

/** All of these are taken away if all are chosen, and chosen if not. */
export function toggled(chosen: readonly TaskState[], states: readonly TaskState[]): TaskState[] {
  const isChosen = states.every((state) => chosen.includes(state));
  const others = chosen.filter((state) => !states.includes(state));
  return isChosen ? others : [...others, ...states];
}

export type StateCounts = { readonly [state: string]: number };

/**
 * How many tasks match the filters, if their state is left out.
 * @param all of every queue that is seen
 * @returns null where nobody has counted them
 */
export function countsOf(filters: TaskFilters, all: StateCounts, queues: readonly Queue[]): StateCounts | null {
  const { host, name, parent, roots, waiting, queue } = filters;
  if ([host, name, parent, roots, waiting].some((filter) => filter !== undefined)) return null;
  return queue === undefined ? all : (queues.find((each) => each.name === queue)?.tasks ?? null);
}
