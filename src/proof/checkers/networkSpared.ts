/** I46: when many connections to living workers close at once, none of those workers is given up before the long grace is over. */
import { checker } from "./checker.ts";
import type { History, LedgerEvent } from "./ledger.ts";
import { appendOf, eventsOf, once } from "./reading.ts";

/** Less than any grace. */
const momentMs = 200;
const min = 3;
const share = 0.3;
/** The leader hears of a closing a little after it happened. */
const slackMs = 100;

type Closing = Extract<LedgerEvent, { kind: "stream-closed" }>;

export const networkSpared = checker("I46", "a lost network is not taken for deaths", (history, report) => {
  const { lostGraceMs, driftMax, isNetworkQuick } = history.conditions;
  // Elsewhere a worker may attach anew before its old connection is seen to close: the leader counts no closing then.
  if (!isNetworkQuick) return;
  const ended = endedBoots(history);
  for (const { entry, worker, boot } of losses(history)) {
    if (ended.has(boot)) continue;
    const closing = eventsOf(history, "stream-closed").findLast(
      (event) => event.boot === boot && event.order < entry.order,
    );
    // One that the master closed itself had been replaced by a newer session, which its worker did not open in time.
    if (closing === undefined || closing.isByMaster === true || isBackAfter(history, closing, entry.order)) continue;
    // The leader after the one that lost the connections gives everybody the grace of an election, whatever was before it; so does the
    // same process that leads anew.
    const author = appendOf(history, entry);
    if (author !== undefined && author.life !== closing.life) continue;
    const termBegan = history.entries.find(({ epoch }) => epoch === entry.epoch);
    if (termBegan !== undefined && termBegan.order > closing.order) continue;
    const sparedMs = entry.landedAt - closing.at;
    // The grace counts from the last word of the worker.
    const heardAt = eventsOf(history, "heard").findLast(
      ({ boot: of, order }) => of === boot && order < closing.order,
    )?.at;
    const silentMs = closing.at - (heardAt ?? closing.at);
    if (sparedMs + silentMs >= lostGraceMs * (1 - 2 * driftMax) - slackMs) continue;
    const others = closingsWith(history, closing).filter((event) => !ended.has(event.boot));
    const count = new Set(others.map((event) => event.worker)).size;
    if (count < min || count <= history.conditions.workers * share) continue;
    report(
      `${worker} was given up ${sparedMs} ms after it had lost its connection at once with ${count - 1} others`,
      worker,
    );
  }
});

/** Boots whose process has ended at some time: their closings may have been deaths. */
const endedBoots = once((history): ReadonlySet<string> => {
  const boots = new Map(eventsOf(history, "start").map(({ life, boot }) => [life, boot ?? ""]));
  const ends = [...eventsOf(history, "crash"), ...eventsOf(history, "exit")];
  return new Set(ends.map(({ life }) => boots.get(life) ?? ""));
});

function losses(history: History) {
  return history.entries.flatMap((entry) =>
    entry.writes.flatMap((write) => {
      if (write.kind !== "record" || write.collection !== "workers" || write.value?.state !== "lost") return [];
      return [{ entry, worker: write.id, boot: write.value.boot }];
    }),
  );
}

/** Connections that the same master lost at the same moment, this one included; not those that it closed itself. */
function closingsWith(history: History, closing: Closing): Closing[] {
  return eventsOf(history, "stream-closed").filter(
    ({ life, at, isByMaster = false }) => life === closing.life && Math.abs(closing.at - at) <= momentMs && !isByMaster,
  );
}

/** True if the worker was heard again before it was given up: it had another stream open, or it asked for one and did not open it. */
function isBackAfter(history: History, closing: Closing, before: number): boolean {
  const isOpen = eventsOf(history, "stream-opened").some(
    ({ boot, order }) => boot === closing.boot && order > closing.order && order < before,
  );
  // What was on its way when the connection closed is here sooner.
  const isHeard = eventsOf(history, "heard").some(
    ({ boot, at, order }) => boot === closing.boot && at > closing.at + momentMs && order < before,
  );
  return isOpen || isHeard;
}
