/** Finds in a finished history which situations of schedules came up. */
import { isFinal } from "../../model/task.ts";
import type { History, LandedEntry } from "../checkers/ledger.ts";
import { eventsOf, stepsByTask } from "../checkers/reading.ts";
import { type ScheduleStep, scheduleSteps } from "../checkers/scheduleSteps.ts";
import type { Coverage } from "./coverage.ts";

export function noteSchedules(coverage: Coverage, history: History): void {
  const { steps } = scheduleSteps(history);
  if (steps.length === 0) return;
  const lives = new Map(eventsOf(history, "append").map(({ seq, epoch, life }) => [`${seq} ${epoch}`, life]));
  const machineOf = ({ seq, epoch }: LandedEntry): string => lives.get(`${seq} ${epoch}`)?.split("#")[0] ?? "";
  const last = new Map<string, ScheduleStep>();
  for (const step of steps) {
    noteStep(coverage, history, step);
    const before = last.get(step.name);
    const hasTicked = step.fired.some(({ isBackfilled }) => !isBackfilled);
    if (before !== undefined && hasTicked) {
      if (before.entry.epoch !== step.entry.epoch)
        coverage.saw("a tick was settled by another leader than the one that had computed it");
      const { when } = step.after.content;
      const isDisputed = "cron" in when && when.timeZone === "Sim/Disputed";
      if (isDisputed && (Number(machineOf(before.entry).at(-1)) - Number(machineOf(step.entry).at(-1))) % 2 !== 0)
        coverage.saw("masters with other time zone data settled ticks of one schedule");
    }
    last.set(step.name, step);
  }
}

function noteStep(coverage: Coverage, history: History, { name, before, after, fired, entry }: ScheduleStep): void {
  const hasTicked = fired.some(({ isBackfilled }) => !isBackfilled);
  if (fired.length > 0 && !hasTicked) coverage.saw("ticks of the past were backfilled");
  if (before === null) return;
  if (before.isRemoved === true && after.isRemoved !== true)
    coverage.saw("a schedule was put again under the name of one that was removed");
  if (hasTicked && before.isRemoved !== true && before.fingerprint !== after.fingerprint)
    coverage.saw("a schedule was edited when a tick was due");
  if (fired.some(({ tickAt }) => before.queued.includes(tickAt)))
    coverage.saw("a tick that had been queued made its task");
  if (
    fired.some(
      ({ tickAt, isBackfilled }) => !isBackfilled && tickAt < entry.at - 90_000 && !before.queued.includes(tickAt),
    )
  )
    coverage.saw("a missed tick was made up for");
  const { when, overlap } = after.content;
  const [first] = fired;
  const isFixed = "cron" in when && when.cron.startsWith("30 ") && when.timeZone === "Sim/Leaping";
  if (isFixed && first !== undefined && after.nextAt !== null && after.nextAt - first.tickAt !== 60_000)
    coverage.saw("clocks were changed between two ticks of fixed times");
  const isCancelled = entry.writes.some(
    (write) => write.kind === "status" && write.status.state === "cancelled" && write.status.id.startsWith(`${name}@`),
  );
  if (overlap === "cancel" && isCancelled) coverage.saw("a tick cancelled the task of an earlier one");
  const queued = after.queued.filter((tick) => !before.queued.includes(tick));
  if (queued.length > 0 && before.queued.length === 0 && before.open.every((id) => hasEnded(history, id, entry)))
    coverage.saw("a tick waited for a process that was still dying");
  for (const { reason } of after.skipped.filter(({ to }) => !before.skipped.some((row) => row.to === to))) {
    if (reason === "overlap") coverage.saw("a tick was skipped for an overlap");
    if (reason === "missed") coverage.saw("ticks were missed");
    if (reason === "paused") coverage.saw("ticks were passed over while their schedule was paused");
  }
}

function hasEnded(history: History, id: string, { order }: LandedEntry): boolean {
  const steps = stepsByTask(history).get(id as never) ?? [];
  return steps.some(({ status, entry }) => isFinal(status.state) && entry.order < order);
}
