/** Why tasks wait: which reasons do not end by themselves, and what the tasks are called that others wait for. */
import { isTaskId } from "../../../src/model/ids.ts";
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
  if (waiting.reason === "key" || waiting.reason === "unique-key") return holderPieces(waiting.detail);
  if (waiting.reason !== "blocked") return [waiting.detail];
  const names = new Map(after.map((id, index) => [id, afterNames[index] ?? id]));
  // Ids hold neither blanks nor commas, so a piece is a whole id or none.
  return waiting.detail.split(/([\s,]+)/).map((piece) => {
    const name = names.get(piece);
    return name === undefined ? piece : { id: piece, name };
  });
}

/**
 * The tasks that hold a key end the sentence: `…: one, two, which is ending and 3 more`. The key itself may hold any text, also
 * that of such an end, but no quotation mark that is not escaped.
 */
function holderPieces(detail: string): readonly (string | AwaitedTask)[] {
  const [, reason, holders] = /^([^"]*"(?:[^"\\]|\\.)*"[^"]*?: )(.+)$/s.exec(detail) ?? [];
  if (reason === undefined || holders === undefined) return [detail];
  const pieces = holders.split(/(, which is ending|, | and \d+ more$)/).filter((piece) => piece !== "");
  return [reason, ...pieces.map((piece) => (isTaskId(piece) ? { id: piece, name: piece } : piece))];
}

export function waitingText(task: Parameters<typeof waitingPieces>[0]): string {
  return waitingPieces(task)
    .map((piece) => (typeof piece === "string" ? piece : piece.name))
    .join("");
}
