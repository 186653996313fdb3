/** I1, I12: what somebody put straight into the store becomes one task, and one only, whoever led meanwhile. */
import type { TaskId } from "../../model/ids.ts";
import { checker } from "./checker.ts";
import { idOf } from "./lives.ts";
import { eventsOf } from "./reading.ts";

export const adoptedOnce = checker("I1", "every task in the store is adopted once", (history, report) => {
  const adopted = new Map<TaskId, number>();
  for (const { seq, writes } of history.entries) {
    for (const write of writes) {
      if (write.kind !== "spec" || write.spec.adoptedFrom === undefined) continue;
      const id = idOf(write.spec.id);
      if (adopted.has(id)) report(`task ${id} was adopted a second time in entry ${seq}`, id);
      adopted.set(id, seq);
    }
  }
  const inserted = new Set(eventsOf(history, "inserted").map(({ task }) => task));
  for (const id of inserted) if (!adopted.has(id)) report(`task ${id} was put into the store and never adopted`, id);
  for (const id of adopted.keys()) if (!inserted.has(id)) report(`task ${id} was adopted and nobody put it in`, id);
});
