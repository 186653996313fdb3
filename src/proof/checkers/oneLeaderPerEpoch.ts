/** I13: every epoch has one leader, whose marker is its first entry, and epochs only rise. */

import { checker, type Report } from "./checker.ts";
import type { History } from "./ledger.ts";
import { eventsOf } from "./reading.ts";

export const oneLeaderPerEpoch = checker("I13", "one leader per epoch", (history, report) => {
  let epoch = 0;
  let nonce = "";
  for (const entry of history.entries) {
    const isMarker = entry.writes.some((write) => write.kind === "marker");
    if (isMarker && entry.epoch <= epoch)
      report(`entry ${entry.seq} begins epoch ${entry.epoch} after epoch ${epoch} had begun`);
    if (isMarker) {
      ({ epoch, nonce } = entry);
      continue;
    }
    if (entry.epoch > epoch) report(`entry ${entry.seq} is of epoch ${entry.epoch}, which no marker has begun`);
    if (entry.epoch === epoch && entry.nonce !== nonce)
      report(`entry ${entry.seq} of epoch ${epoch} is ${entry.nonce}'s, its marker ${nonce}'s`);
  }
  checkAuthors(history, report);
});

/** Only the one whose marker it is may even try to add to an epoch. */
function checkAuthors(history: History, report: Report): void {
  const authors = new Map<number, string>();
  for (const { epoch, life, isMarker, seq } of eventsOf(history, "append")) {
    if (isMarker) continue;
    const author = authors.get(epoch) ?? life;
    authors.set(epoch, author);
    if (author !== life) report(`${life} appended entry ${seq} to epoch ${epoch}, in which ${author} leads`);
  }
}
