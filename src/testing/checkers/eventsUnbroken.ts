/** I39: whoever follows events gets every entry once, in order, whichever masters it follows them through, or is told to begin anew. */
import { checker } from "./checker.ts";
import { textOfEntry } from "./reading.ts";

export const eventsUnbroken = checker(
  "I39",
  "streams of events have no gap, no repeat and no lie",
  (history, report) => {
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
  },
);
