/**
 * Tells people of what needs their attention. Most alarms are raised where the leader decides what they are about; what is wrong
 * only once it lasts is looked for here, every few seconds and only while a webhook hears of alarms.
 */
import { defaults, limits } from "../../model/limits.ts";
import { withAdvice } from "../../model/waiting.ts";
import type { AlarmKind } from "../../model/webhooks/delivery.ts";
import { raise } from "./alarms.ts";
import type { Batch } from "./effects.ts";
import type { TaskLane } from "./liveTask.ts";
import type { SchedulerModule } from "./module.ts";
import type { SchedulerState } from "./state.ts";
import { WaitingReasons } from "./waitingReasons.ts";

export const alarmsModule = {
  activate: ({ alarms }) => alarms.reset(),
  step(state, batch) {
    const { alarms, webhooks } = state;
    if (!webhooks.hearAlarms) return alarms.reset();
    if (batch.now < alarms.nextLookAt) return;
    alarms.nextLookAt = batch.now + defaults.alarmLookMs;
    look(state, batch);
  },
  nextWakeAt: ({ alarms, webhooks }) => (webhooks.hearAlarms ? alarms.nextLookAt : null),
} satisfies SchedulerModule;

interface Trouble {
  /** Of the lane or the worker. */
  readonly name: string;
  readonly detail: string;
}

function look(state: SchedulerState, batch: Batch): void {
  const lanes = lanesWithoutWorker(state, batch.now);
  const workers = troubledWorkers(state);
  const bounds = { afterMs: defaults.alarmAfterMs, quietMs: defaults.alarmQuietMs };
  const told = state.alarms.look([...lanes.keys(), ...workers.keys()], batch.now, bounds);
  tell(batch, told, lanes, "no-worker", "tasks wait that no connected worker can run");
  tell(batch, told, workers, "worker-trouble", "workers take no tasks, for a reason that is their machine's own");
}

/** One alarm for all of a kind, so that a cluster without workers does not raise one for each of its queues. */
function tell(
  batch: Batch,
  told: ReadonlySet<string>,
  troubles: ReadonlyMap<string, Trouble>,
  alarm: AlarmKind,
  message: string,
): void {
  const mine = [...troubles].flatMap(([key, trouble]) => (told.has(key) ? [trouble] : []));
  const [first] = mine;
  if (first === undefined) return;
  const names = [...new Set(mine.map(({ name }) => name))];
  const rest = names.length > limits.alarmNamesMax ? ` and ${names.length - limits.alarmNamesMax} more` : "";
  const about = alarm === "no-worker" ? "queues" : "workers";
  raise(batch, alarm, message, {
    [about]: names.slice(0, limits.alarmNamesMax).join(", ") + rest,
    count: names.length,
    detail: first.detail.slice(0, limits.deliveryAlarmLengthMax),
  });
}

function lanesWithoutWorker(state: SchedulerState, now: number): ReadonlyMap<string, Trouble> {
  const found = new Map<string, Trouble>();
  const reasons = new WaitingReasons(state, now, true);
  let left: number = limits.alarmLanesMax;
  for (const lane of state.lanes) {
    if (lane.ready.size === 0) continue;
    if (left === 0) break;
    left -= 1;
    const why = reasons.ofLane(lane);
    if (why.reason === "no-worker" || why.reason === "no-able-worker")
      found.set(keyOf(lane), { name: lane.queue.name, detail: withAdvice(why) });
  }
  return found;
}

function keyOf({ queue, kind, requires }: TaskLane): string {
  return JSON.stringify(["lane", queue.name, kind, ...requires]);
}

function troubledWorkers({ workers }: SchedulerState): ReadonlyMap<string, Trouble> {
  const found = new Map<string, Trouble>();
  for (const { id, trouble, isOpen } of workers) {
    if (isOpen && trouble !== null)
      found.set(JSON.stringify(["worker", id]), { name: id, detail: `${id}: ${trouble}` });
  }
  return found;
}
