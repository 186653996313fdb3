/** I20, as far as one run shows it: with all faults over and the store well, somebody leads and answers. */
import { checker } from "./checker.ts";

export const leaderInTheEnd = checker("I20", "there is a leader once all faults are over", (history, report) => {
  if (history.final.leader === null) report("all faults are over, and no master leads and answers");
});
