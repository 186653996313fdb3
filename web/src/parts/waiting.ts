/** Why tasks wait: the reasons in words, which of them do not end by themselves, and what the tasks are called that others wait for. */
import type { WaitingReason } from "../../../src/model/waiting.ts";
import type { Task } from "../api/schema.ts";

export const needsSomebody: ReadonlySet<string> = new Set(["queue-paused", "no-worker", "no-able-worker", "no-leader"]);

/** What tasks wait for, as it stands after "wait for". */
const reasonTexts: { readonly [Reason in WaitingReason]: string } = {
  "due-later": "their start time",
  "back-off": "the end of a back-off",
  isolation: "a worker to be alone on",
  siblings: "siblings that run",
  children: "their children",
  sleep: "the end of a sleep",
  signal: "a signal",
  descendants: "descendants to end",
  blocked: "other tasks",
  "queue-paused": "a paused queue",
  "no-worker": "a worker of their queue",
  "no-able-worker": "a worker that can run them",
  "workers-away": "workers that take nothing now",
  "workers-busy": "a free slot",
  "queue-full": "the limit of their queue",
  "queue-rate": "the rate of their queue",
  key: "their concurrency key",
  "unique-key": "their unique key",
  "next-in-line": "their turn, which is next",
  "no-leader": "a leader",
};

export const waitingReasons: readonly string[] = Object.keys(reasonTexts);

/** Newer masters may know more reasons. */
export function reasonText(reason: string): string {
  const known: { readonly [reason: string]: string } = reasonTexts;
  return known[reason] ?? reason;
}

export interface AwaitedTask {
  readonly id: string;
  /** In a graph what the node is called there, otherwise the id. */
  readonly name: string;
}

/** Why it waits, in pieces of text, with each task that it waits for by itself. Without a piece if it does not wait. */
export function waitingPieces({
  waiting,
  after = [],
  afterNames = [],
}: Pick<Task, "waiting" | "after" | "afterNames">): readonly (string | AwaitedTask)[] {
  if (waiting === undefined) return [];
  const { reason, detail, holders = [] } = waiting;
  const awaited = reason === "blocked" ? after.map((id, index) => [id, afterNames[index] ?? id] as const) : [];
  const names = new Map([...awaited, ...holders.map((id) => [id, id] as const)]);
  if (names.size === 0) return [detail];
  // Ids hold neither blanks nor commas, so a piece is a whole id or none.
  return detail.split(/([\s,]+)/).map((piece) => {
    const name = names.get(piece);
    return name === undefined ? piece : { id: piece, name };
  });
}

/**
 * What is said before and after the instant at which a wait ends by itself. A sleep ends no sooner; what waits for a signal or for children,
 * too, may go on at any moment, and gives up then.
 */
export function endWords({
  waiting,
  state,
}: Pick<Task, "waiting" | "state">): readonly [before: string, after: string] {
  if (state !== "waiting") return ["starts", "at the earliest"];
  const isSleepOnly = waiting?.reason === "sleep" && !waiting.detail.includes(" or ");
  return isSleepOnly ? ["goes on", "at the earliest"] : ["the wait ends", "at the latest"];
}

export function waitingText(task: Parameters<typeof waitingPieces>[0]): string {
  return waitingPieces(task)
    .map((piece) => (typeof piece === "string" ? piece : piece.name))
    .join("");
}
