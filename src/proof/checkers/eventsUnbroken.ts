/** I39: whoever follows events gets every entry once, in order, whichever masters it follows them through, or is told to begin anew. */

import { checker, type Report } from "./checker.ts";
import type { History } from "./ledger.ts";
import { textOfEntry } from "./reading.ts";

/** Who follows may be this far behind, and has to connect anew at times. */
const lateMs = 15_000;

export const eventsUnbroken = checker("I39", "streams of events have no gap and no lie", (history, report) => {
  const reached = new Map<string, number>();
  for (const event of history.events) {
    if (event.kind === "event-reset") reached.set(event.session, event.seq);
    if (event.kind !== "event") continue;
    const { session, seq, epoch, text } = event;
    const before = reached.get(session);
    if (before !== undefined && seq !== before + 1)
      report(`${session} was told of entry ${seq} right after entry ${before}`, session);
    reached.set(session, seq);
    const entry = history.entries[seq - 1];
    if (entry === undefined || entry.epoch !== epoch || textOfEntry(history, seq) !== text) {
      report(`${session} was told something else of entry ${seq} than the journal has`, session);
    }
  }
  checkEnds(history, report);
});

/** All of them have come to the end, but for what has only just happened. */
function checkEnds(history: History, report: Report): void {
  const lastAt = history.events.at(-1)?.at ?? 0;
  const due = history.entries.findLast((entry) => lastAt - entry.landedAt > lateMs)?.seq ?? 0;
  for (const [session, seq] of history.final.followers) {
    if (seq !== null && seq >= due) continue;
    report(`${session} has come to entry ${seq ?? "none"} only, ${lateMs} ms after entry ${due}`, session);
  }
}
