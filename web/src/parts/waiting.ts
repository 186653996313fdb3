/** Why tasks wait: which reasons do not end by themselves, and what the tasks are called that others wait for. */
import type { Task } from "../api/schema.ts";

export const needsSomebody: ReadonlySet<string> = new Set(["queue-paused", "no-worker", "no-able-worker", "no-leader"]);

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

export function waitingText(task: Parameters<typeof waitingPieces>[0]): string {
  return waitingPieces(task)
    .map((piece) => (typeof piece === "string" ? piece : piece.name))
    .join("");
}
