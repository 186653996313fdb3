/** I1: what was acknowledged is still there at the end, and has come to its end or says why not. */
import { checker } from "./checker.ts";
import { eventsOf, forgotten, stepsByTask } from "./reading.ts";

export const ackedIsKept = checker("I1", "no acknowledged submit is lost", (history, report) => {
  const { documents, unfinished } = history.final;
  for (const { ids } of eventsOf(history, "submit-ok")) {
    for (const id of ids) {
      if (!documents.has(id) && !forgotten(history).has(id)) report(`task ${id} was acknowledged and is gone`, id);
      if (history.entries.length > 0 && !stepsByTask(history).has(id))
        report(`task ${id} was acknowledged and is not in the journal`, id);
    }
  }
  for (const [id, reason] of unfinished) {
    report(`task ${id} did not come to its end although all faults were over: ${reason}`, id);
  }
});
