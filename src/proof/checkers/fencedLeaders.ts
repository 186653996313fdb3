/** I14: once a marker is in, nothing of an older leader gets in, and no older leader learns that it had been heard. */
import { checker } from "./checker.ts";

export const fencedLeaders = checker("I14", "no entry of a leader of the past", (history, report) => {
  let epoch = 0;
  for (const entry of history.entries) {
    if (entry.epoch < epoch)
      report(`entry ${entry.seq} of epoch ${entry.epoch} is in the journal behind the marker of epoch ${epoch}`);
    epoch = Math.max(epoch, entry.epoch);
  }
});
