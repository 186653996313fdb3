/** I40, as far as compaction goes: what a living master still has to read is kept, unless it was out of sight for long. */
import { checker } from "./checker.ts";
import { eventsOf } from "./reading.ts";
import { troubledMs, troublesOf } from "./troubles.ts";

/** A master counts as living for ten seconds after its last note; notes are a second apart. */
const sightMs = 12_000;
const unseenMs = 4_000;

export const journalKept = checker(
  "I40",
  "nothing is compacted away that a living master has to read",
  (history, report) => {
    for (const { life, node, at } of eventsOf(history, "passed-over")) {
      const born = eventsOf(history, "start").find((event) => event.life === life);
      if (born === undefined || at - born.at < sightMs) continue;
      const from = at - sightMs;
      const hiddenMs = troubledMs(history, { from, to: at }, troublesOf(history, node));
      if (hiddenMs < unseenMs)
        report(
          `${life} found at ${at} that entries it had not read were gone, and had been in sight all but ${hiddenMs} ms`,
          node,
        );
    }
  },
);
