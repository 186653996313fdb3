/** I47: a signal that was taken is kept for the first wait of its name, and given to it alone. Ids of signals are used once. */
import type { TaskId } from "../../model/ids.ts";
import { checker } from "./checker.ts";
import { eventsOf } from "./reading.ts";

export const signalsOnce = checker(
  "I47",
  "each signal is delivered once, to a wait for its name",
  (history, report) => {
    /** Where each signal was delivered to: the id of the step. */
    const delivered = new Map<string, string>();
    const names = new Map<string, string>();
    /** The place in the ledger's order from which on a signal is in the journal. */
    const since = new Map<string, number>();
    for (const { seq, order, writes } of history.entries) {
      for (const write of writes) {
        // Whoever did not hear that it was delivered sends it again, to the next task of that id as well.
        if (write.kind === "forget-task")
          for (const [id, step] of delivered) if (step.startsWith(`${write.id}/`)) delivered.delete(id);
        if (write.kind !== "record" || write.value === null) continue;
        if (write.collection === "signals") {
          for (const { id, name } of write.value.pending) {
            if (delivered.has(id)) report(`signal ${id} waits in entry ${seq} after it was delivered`, write.id);
            names.set(id, name);
            if (!since.has(id)) since.set(id, order);
          }
          // One that was waited for is delivered in the entry in which it comes.
          for (const id of write.value.delivered) if (!since.has(id)) since.set(id, order);
        }
        if (write.collection !== "steps" || !("signal" in write.value) || write.value.signal === null) continue;
        const { id } = write.value.signal;
        const before = delivered.get(id);
        if (before !== undefined && before !== write.id)
          report(`signal ${id} was delivered to ${before}, and in entry ${seq} to ${write.id}`);
        delivered.set(id, write.id);
        const name = names.get(id);
        if (name !== undefined && !write.id.endsWith(`.${name}`))
          report(`signal ${id} is one for ${name}, and was delivered to ${write.id} in entry ${seq}`);
        if (!since.has(id)) report(`signal ${id} was delivered in entry ${seq}, and nobody had taken it`);
      }
    }
    for (const { task, signal, order } of eventsOf(history, "acked-signal")) {
      if ((since.get(signal) ?? Number.POSITIVE_INFINITY) > order)
        report(`signal ${signal} was acknowledged, and was not in the journal`, task satisfies TaskId);
    }
  },
);
