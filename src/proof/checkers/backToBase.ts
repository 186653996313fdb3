/** I40: once all is quiet, masters hold nothing for anybody who is not there, and only a handful of timers. */
import type { WorkerRecord } from "../../model/worker.ts";
import { checker } from "./checker.ts";
import type { History } from "./ledger.ts";

/** A leader may be elected, or wait for its store, before it gets to forget a worker. */
const forgetMsMax = 60_000;

/** A master's own clockwork: the lease, the journal's tail, notes, housekeeping, beats, what waits for workers and retries. */
const timersMax = 20;

export const backToBase = checker("I40", "memory goes back to base", (history, report) => {
  // What never came to an end holds its own.
  if (history.final.unfinished.size > 0) return;
  const { workers, masters } = history.conditions;
  for (const { life, isLeader, inboxLength, openCalls, openStreams, timers } of history.final.masters) {
    if (inboxLength > 0) report(`${life} still has ${inboxLength} inputs waiting`);
    if (openCalls.length > 0) report(`${life} still has calls without an answer: ${openCalls.join("; ")}`);
    // One that comes back leaves its old stream behind only until that is seen.
    const listeners = workers + masters + history.final.followers.size;
    if (openStreams > listeners * 2) report(`${life} still has ${openStreams} streams open for ${listeners} listeners`);
    const allowed = timersMax + workers;
    if (timers > allowed) report(`${life} still has ${timers} timers set${isLeader ? "" : " as a standby"}`);
  }
  const { goneWorkerKeptMs, clockSpreadMs } = history.conditions;
  for (const { id, state, changedAt } of remembered(history)) {
    const goneMs = (history.entries.at(-1)?.at ?? 0) - changedAt;
    if (state !== "connected" && goneMs > goneWorkerKeptMs + clockSpreadMs + forgetMsMax)
      report(`worker ${id} is still remembered, although it was ${state} ${goneMs} ms ago`);
  }
});

/** The workers of which the journal has a record at its end. */
function remembered({ entries }: History): Iterable<WorkerRecord> {
  const workers = new Map<string, WorkerRecord>();
  for (const { writes } of entries) {
    for (const write of writes) {
      if (write.kind !== "record" || write.collection !== "workers") continue;
      if (write.value === null) workers.delete(write.id);
      else workers.set(write.id, write.value);
    }
  }
  return workers.values();
}
