/** I16: whatever a master sends out follows from entries that are in the store at that instant. */
import { checker } from "./checker.ts";
import { eventsOf, name, stepBefore, stepsByTask } from "./reading.ts";

export const effectsAfterCommit = checker("I16", "no effect before its commit", (history, report) => {
  for (const { task, attempt, worker, boot, order, life } of eventsOf(history, "sent-assign")) {
    const isIn = stepsByTask(history)
      .get(task)
      ?.some(
        ({ status, entry }) =>
          entry.order < order &&
          status.state === "running" &&
          status.attempt === attempt &&
          status.host === worker &&
          status.boot === boot,
      );
    if (isIn !== true)
      report(`${life} sent ${name(task, attempt)} to ${boot} before that assignment was in the store`, task, worker);
  }
  for (const { task, attempt, worker, reason, order, life } of eventsOf(history, "sent-abort")) {
    const now = stepBefore(history, task, order)?.status;
    const isCurrent = now?.state === "running" && now.attempt === attempt && now.host === worker;
    if (isCurrent) {
      report(
        `${life} had ${worker} abort ${name(task, attempt)} (${reason}) while it is the current attempt`,
        task,
        worker,
      );
    }
  }
  let landed = 0;
  for (const event of history.events) {
    if (event.kind === "landed") landed = event.seq;
    if (event.kind === "sent-change" && event.seq > landed) {
      report(`${event.life} told of entry ${event.seq} when the store had only ${landed}`);
    }
    if (event.kind !== "sent-beat") continue;
    if (event.seq > landed) report(`${event.life} told a standby of entry ${event.seq} before it was in the store`);
    const { epoch, beat, stored } = event;
    const isStored = stored !== null && (stored.epoch > epoch || (stored.epoch === epoch && stored.beat >= beat));
    if (!isStored) report(`${event.life} told a standby of lease ${epoch}/${beat} before the store had it`);
  }
});
