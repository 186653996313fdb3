/** I17: whatever any master has ever told of an entry is what the journal says of it, then and for ever. */
import { checker } from "./checker.ts";
import { eventsOf, textOfEntry } from "./reading.ts";

export const prefixStands = checker("I17", "the committed prefix never changes", (history, report) => {
  for (const { life, seq, epoch, text } of eventsOf(history, "sent-change")) {
    const entry = history.entries[seq - 1];
    if (entry === undefined) report(`${life} told of entry ${seq}, which the journal does not have`);
    else if (entry.epoch !== epoch)
      report(`${life} told of entry ${seq} as of epoch ${epoch}, the journal has it of epoch ${entry.epoch}`);
    else if (textOfEntry(history, seq) !== text)
      report(`${life} told of entry ${seq} with other writes than the journal has`);
  }
});
