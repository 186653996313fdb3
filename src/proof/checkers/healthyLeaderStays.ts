/** I20, the other way round: nobody takes over from a leader that is up, in sight and undisturbed. */
import { checker } from "./checker.ts";
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
    if (isTouched) continue;
    report(`epoch ${epoch} was begun at ${landedAt} although ${before.life} led and nothing was wrong with it`);
  }
});
