/** The filters of the list of tasks, as they stand in its address. */
import type { TaskState } from "../../api/schema.ts";
import { taskStates } from "../../parts/states.tsx";

export interface TaskFilters {
  /** States, separated by commas. */
  readonly state?: string;
  readonly queue?: string;
  readonly host?: string;
  readonly name?: string;
  /** Only children of this task. */
  readonly parent?: string;
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
