/** A task in the few words that shell scripts and older schedulers ask for. */
import { utcText } from "./schedules/utcText.ts";
import { isFinal, type TaskDocument, type TaskState } from "./task.ts";

export const shortStates = ["running", "stopped"] as const;
/** `good` and `error` for what has ended; `unknown` as long as nobody can say, and for a branch of a graph that never ran. */
export const shortResults = ["good", "error", "unknown"] as const;

export interface ShortStatus {
  readonly state: (typeof shortStates)[number];
  readonly status: (typeof shortResults)[number];
  /** The worker of the current or last attempt; null before the first one. */
  readonly node: string | null;
  /** In UTC: `2026-11-26T23:10:21.512Z`. */
  readonly "created-at": string;
}

export function toShortStatus({
  state,
  host,
  createdAt,
}: Pick<TaskDocument, "state" | "host" | "createdAt">): ShortStatus {
  return {
    state: isFinal(state) ? "stopped" : "running",
    status: resultOf(state),
    node: host ?? null,
    "created-at": utcText(createdAt),
  };
}

function resultOf(state: TaskState): ShortStatus["status"] {
  switch (state) {
    case "success":
      return "good";
    case "failed":
    case "cancelled":
      return "error";
    default:
      return "unknown";
  }
}
