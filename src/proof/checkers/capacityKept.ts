/**
 * I30: no boot ever runs, or is booked for, more attempts than it has slots; and a task that must run alone, because it has lost
 * its workers again and again, shares its worker with no other.
 */
import { checker, type Report } from "./checker.ts";
import type { History } from "./ledger.ts";
import { eventsOf } from "./reading.ts";

export const capacityKept = checker("I30", "capacity is never exceeded", (history, report) => {
  const capacities = new Map(eventsOf(history, "start").map(({ boot, capacity }) => [boot, capacity]));
  const running = new Map<string, Set<string>>();
  for (const event of history.events) {
    if (event.kind !== "exec-start" && event.kind !== "exec-end") continue;
    const tokens = running.get(event.boot) ?? new Set();
    running.set(event.boot, tokens);
    if (event.kind === "exec-end") {
      tokens.delete(event.token);
      continue;
    }
    tokens.add(event.token);
    const capacity = capacities.get(event.boot) ?? 0;
    if (tokens.size > capacity) {
      report(
        `${event.boot} of ${event.worker} ran ${tokens.size} attempts in ${capacity} slots`,
        event.task,
        event.worker,
      );
    }
  }
  checkBookings(history, report);
});

function checkBookings(history: History, report: Report): void {
  const capacities = new Map<string, number>();
  const booked = new Map<string, Set<string>>();
  const places = new Map<string, string>();
  const alone = new Set<string>();
  for (const { seq, writes } of history.entries) {
    for (const write of writes) {
      if (write.kind === "record" && write.collection === "workers" && write.value !== null)
        capacities.set(write.value.boot, write.value.capacity);
      if (write.kind !== "status") continue;
      const { id, state, boot } = write.status;
      if (write.status.isAlone === true) alone.add(id);
      else alone.delete(id);
      const before = places.get(id);
      if (before !== undefined) booked.get(before)?.delete(id);
      places.delete(id);
      if (state !== "running" || boot === undefined) continue;
      places.set(id, boot);
      booked.set(boot, (booked.get(boot) ?? new Set()).add(id));
    }
    for (const [boot, tasks] of booked) {
      const capacity = capacities.get(boot) ?? 0;
      if (tasks.size > capacity)
        report(`${boot} is booked for ${tasks.size} attempts in ${capacity} slots, in entry ${seq}`, ...tasks);
      const suspect = tasks.size > 1 ? [...tasks].find((task) => alone.has(task)) : undefined;
      if (suspect !== undefined)
        report(`${suspect} must run alone, and shares ${boot} with ${tasks.size - 1} others in entry ${seq}`, ...tasks);
    }
  }
}
