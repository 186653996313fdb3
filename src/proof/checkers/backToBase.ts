/** I40: once all is quiet, masters hold nothing for anybody who is not there, and only a handful of timers. */
import { checker } from "./checker.ts";

/** A master's own clockwork: the lease, the journal's tail, notes, housekeeping, beats, what waits for workers and retries. */
const timersMax = 20;

export const backToBase = checker("I40", "memory goes back to base", (history, report) => {
  // What never came to an end holds its own.
  if (history.final.unfinished.size > 0) return;
  for (const { life, isLeader, inboxLength, openCalls, openStreams, timers } of history.final.masters) {
    if (inboxLength > 0) report(`${life} still has ${inboxLength} inputs waiting`);
    if (openCalls.length > 0) report(`${life} still has calls without an answer: ${openCalls.join("; ")}`);
    // A worker that comes back leaves its old stream behind only until that is seen.
    const streamsMax = history.conditions.workers * 2 + 4;
    if (openStreams > streamsMax)
      report(`${life} still has ${openStreams} streams open for ${history.conditions.workers} workers`);
    const allowed = timersMax + history.conditions.workers;
    if (timers > allowed) report(`${life} still has ${timers} timers set${isLeader ? "" : " as a standby"}`);
  }
});
