/** I22: no tick happens before its instant, by the wall clock of the master that lets it happen; and where nothing is wrong, soon after it. */
import { checker } from "./checker.ts";
import { appendOf, eventsOf } from "./reading.ts";
import { scheduleSteps } from "./scheduleSteps.ts";
import { wallAt } from "./shownTime.ts";
import { decidedSince } from "./startsInTime.ts";

/** Instants are whole milliseconds, and a decision is made a little before its entry is handed over. */
const slackMs = 5;
const decidedBeforeMs = 50;
const lateMsMax = 3_000;

export const ticksInTime = checker("I22", "no tick happens before its instant", (history, report) => {
  const settleMs = history.conditions.clockSettleMs;
  if (settleMs === undefined) return;
  const sets = eventsOf(history, "clock-set");
  for (const { name, before, after, fired, entry } of scheduleSteps(history).steps) {
    const append = appendOf(history, entry);
    if (append === undefined) continue;
    const { life, at } = append;
    const since = Math.min(at - decidedBeforeMs, decidedSince(history, entry));
    const instants = [at, ...sets.map((set) => set.at - 0.001).filter((set) => set < at && set > since)];
    const shownAt = Math.max(...instants.map((instant) => wallAt(history, life, instant, settleMs)));
    // One that waits has come already, whatever the clock is set to before it makes its task.
    const waiting = before?.queued ?? [];
    const queued = after.queued.filter((tickAt) => !waiting.includes(tickAt)).map((tickAt) => ({ id: name, tickAt }));
    const made = fired.filter(({ tickAt, isBackfilled }) => !isBackfilled && !waiting.includes(tickAt));
    for (const { id, tickAt } of [...made, ...queued]) {
      if (shownAt < tickAt - slackMs)
        report(`the tick ${tickAt} of ${id} came ${Math.round(tickAt - shownAt)} ms before its instant`, id);
    }
    for (const { id, tickAt } of made) {
      const { content } = before ?? after;
      const isByTheClock = (content.overlap ?? "allow") === "allow" && !("at" in content.when);
      const lateMs = entry.at - tickAt - (content.jitterMs ?? 0);
      if (history.conditions.isCalm && isByTheClock && lateMs > lateMsMax)
        report(`${id} was made ${lateMs} ms after its tick, in a calm run`, id);
    }
  }
});
