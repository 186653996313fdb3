/** I36: what an attempt printed is what its reader gets: whole, in order, once, and nobody else's. */
import { checker, type Report } from "./checker.ts";
import type { History, LogPiece } from "./ledger.ts";
import { type Execution, eventsOf, executions, forgotten, name } from "./reading.ts";

export const logsKept = checker("I36", "an attempt's log is whole and its own", (history, report) => {
  const { logs } = history.final;
  if (logs === undefined) return;
  const printed = readPrinted(history);
  const byAttempt = new Map(executions(history).map((each) => [name(each.task, each.attempt), each]));
  const stored = new Map([...logs.values()].map(({ task, attempt, pieces }) => [name(task, attempt), pieces]));
  for (const { task, attempt, pieces } of [...logs.values(), ...eventsOf(history, "log-forgotten")]) {
    checkOwn(name(task, attempt), pieces, byAttempt.get(name(task, attempt)), printed, report);
  }
  checkWhole(history, stored, printed, report);
});

/** What each execution printed, by its token. */
function readPrinted(history: History): ReadonlyMap<string, string> {
  const printed = new Map<string, string>();
  for (const { token, text } of eventsOf(history, "exec-wrote")) printed.set(token, (printed.get(token) ?? "") + text);
  return printed;
}

/** Every piece stands where its attempt printed it. */
function checkOwn(
  what: string,
  pieces: readonly LogPiece[],
  execution: Execution | undefined,
  printed: ReadonlyMap<string, string>,
  report: Report,
): void {
  const text = execution === undefined ? "" : (printed.get(execution.token) ?? "");
  for (const piece of pieces) {
    if (text.slice(piece.offset, piece.offset + piece.text.length) === piece.text) continue;
    const found = JSON.stringify(piece.text.slice(0, 100));
    report(`the log of ${what} has ${found} at offset ${piece.offset}, which it did not print there`, taskOf(what));
    return;
  }
}

/** Where nothing happened to the worker afterwards, nothing of the log is missing. */
function checkWhole(
  history: History,
  stored: ReadonlyMap<string, readonly LogPiece[]>,
  printed: ReadonlyMap<string, string>,
  report: Report,
): void {
  // What the clock says of an attempt that came to its end is of no use once its worker has gone: the last output goes with it.
  const goneAt = new Map<string, number>();
  for (const event of history.events) {
    if ((event.kind === "crash" || event.kind === "exit") && !goneAt.has(event.life))
      goneAt.set(event.life, event.order);
  }
  const lifeOf = new Map(eventsOf(history, "start").map(({ boot, life }) => [boot, life]));
  for (const { task, attempt, boot, token, endOrder } of executions(history)) {
    if (endOrder === null || forgotten(history).has(task) || goneAt.has(lifeOf.get(boot) ?? "")) continue;
    const text = printed.get(token) ?? "";
    const pieces = stored.get(name(task, attempt)) ?? [];
    let reached = 0;
    for (const piece of pieces) if (piece.offset === reached) reached += piece.text.length;
    if (reached < text.length)
      report(`the log of ${name(task, attempt)} ends after ${reached} of ${text.length} bytes`, task);
  }
}

function taskOf(attempt: string): string {
  return attempt.slice(0, attempt.lastIndexOf("/"));
}
