/** I20, the other way round: nobody takes over from a leader that is up, in sight and undisturbed. */
import { checker } from "./checker.ts";
import type { History } from "./ledger.ts";
import { eventsOf } from "./reading.ts";
import { leaderTroubles } from "./troubles.ts";

/** Whatever happened longer ago than this must be over and done with. */
const calmMs = 6_000;

export const healthyLeaderStays = checker("I20", "a leader in good health is left alone", (history, report) => {
  const leads = eventsOf(history, "leads");
  for (const { order, landedAt, epoch, writes } of history.entries) {
    if (!writes.some((write) => write.kind === "marker")) continue;
    const before = leads.findLast((event) => event.order < order);
    if (before === undefined || before.life === null || landedAt - before.at < calmMs) continue;
    const from = landedAt - calmMs;
    if (leaderTroubles(history).some((trouble) => trouble.to > from && trouble.from <= landedAt)) continue;
    const isTouched = history.events.some(
      (event) => event.at >= from && event.order < order && "node" in event && event.node.startsWith("master-"),
    );
    if (isTouched || isHardToHear(history, from, order)) continue;
    report(`epoch ${epoch} was begun at ${landedAt} although ${before.life} led and nothing was wrong with it`);
  }
});

/**
 * True if a standby has lost its connection to the leader since then, in a network that is slow or drops connections: what it hears of
 * the lease is old, and its guess may be wrong. That costs an election that was not needed (docs/decisions/0034-leaders-tell-standbys.md).
 */
function isHardToHear(history: History, since: number, before: number): boolean {
  if (history.conditions.isNetworkQuick) return false;
  return eventsOf(history, "peer-lost").some(({ at, order }) => at >= since && order < before);
}
