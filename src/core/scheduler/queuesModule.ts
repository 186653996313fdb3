/** Operators pause and resume queues, limit them, and ask what they hold. */
import { limits } from "../../model/limits.ts";
import type { QueueSettings, QueueView } from "../../model/worker.ts";
import type { Batch, Reply } from "./effects.ts";
import type { LiveTask } from "./liveTask.ts";
import type { SchedulerModule } from "./module.ts";
import { applySettings, settingsOf } from "./queueRecords.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";

export const queuesModule = {
  inputs: {
    "set-queue": (state, batch, { request, name, settings }) =>
      reply(batch, request, setQueue(state, batch, name, settings)),
    "inspect-queues": (state, batch, { request }) => reply(batch, request, inspectQueues(state)),
  },
} satisfies SchedulerModule;

function setQueue(state: SchedulerState, batch: Batch, name: string, settings: QueueSettings): Reply {
  const { queues, queueRecords, rates } = state;
  if (queues.wouldOverflow([name])) return tooManyQueues();
  const queue = queues.open(name);
  const before = settingsOf(queue);
  applySettings(queue, { ...before, ...settings });
  const after = settingsOf(queue);
  if (JSON.stringify(after) !== JSON.stringify(before)) {
    const value = queueRecords.recordOf(name);
    batch.out.writes.push({ kind: "record", collection: "queues", id: name, value });
  }
  rates.dropStarts(queue);
  queueRecords.settle(queue);
  return { kind: "done" };
}

/** Queues that hold a task or have a setting, and those that a connected worker serves. */
function inspectQueues({ queues, workers, lanes }: SchedulerState): Reply {
  const served = new Map<string, number>();
  for (const worker of workers) {
    if (!worker.isOpen) continue;
    for (const name of worker.offer.queues) served.set(name, (served.get(name) ?? 0) + 1);
  }
  const first = new Map<string, LiveTask>();
  for (const task of headsOf(lanes)) {
    const { name } = task.lane.queue;
    const known = first.get(name);
    if (known === undefined || task.orderAt < known.orderAt) first.set(name, task);
  }
  const views: QueueView[] = [...queues].map(({ name, isPaused, concurrencyMax, rate, counts }) => ({
    ...{ name, isPaused },
    ...(concurrencyMax !== null && { concurrencyMax }),
    ...(rate !== null && { rate }),
    tasks: { ...counts } as Record<string, number>,
    workers: served.get(name) ?? 0,
    ...waitOf(first.get(name)),
  }));
  for (const [name, count] of served) {
    if (queues.get(name) === undefined) views.push({ name, isPaused: false, tasks: {}, workers: count });
  }
  return { kind: "queues", queues: views };
}

/** The tasks that could start and are first in their line. */
function* headsOf(lanes: SchedulerState["lanes"]): Generator<LiveTask> {
  for (const lane of lanes) {
    const head = lane.ready.peek();
    if (head !== undefined) yield head;
  }
  yield* lanes.suspects;
}

function waitOf(task: LiveTask | undefined): Pick<QueueView, "waitsLongest"> {
  return task === undefined ? {} : { waitsLongest: { id: task.id, since: task.orderAt } };
}

export function tooManyQueues(): Reply {
  return refuse("too-many", `Too many queues (${limits.queuesMax}).`, "queuesMax");
}
