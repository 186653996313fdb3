/** Operators pause and resume queues, and ask what they hold. */
import { limits } from "../../model/limits.ts";
import type { QueueRecord } from "../../model/worker.ts";
import type { Batch, Reply } from "./effects.ts";
import type { Lanes } from "./lanes.ts";
import type { SchedulerModule } from "./module.ts";
import type { Queues } from "./queues.ts";
import type { RecordModule } from "./recordModule.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";

export const queuesModule = {
  inputs: {
    "set-queue": (state, batch, { request, name, isPaused }) =>
      reply(batch, request, setQueue(state, batch, name, isPaused)),
    "inspect-queues": (state, batch, { request }) => reply(batch, request, inspectQueues(state)),
  },
} satisfies SchedulerModule;

function setQueue({ queues, lanes }: SchedulerState, batch: Batch, name: string, isPaused: boolean): Reply {
  if (queues.wouldOverflow([name])) return tooManyQueues();
  const queue = queues.open(name);
  if (queue.isPaused !== isPaused) {
    const value = isPaused ? { name, isPaused } : null;
    batch.out.writes.push({ kind: "record", collection: "queues", id: name, value });
  }
  lanes.setPaused(queue, isPaused);
  return { kind: "done" };
}

/** The settings of queues as the journal has them: a record for each that is paused, none for the others. */
export class QueueRecords implements RecordModule<QueueRecord> {
  readonly #queues: Queues;
  readonly #lanes: Lanes;

  constructor(queues: Queues, lanes: Lanes) {
    this.#queues = queues;
    this.#lanes = lanes;
  }

  put(name: string, record: QueueRecord | null): void {
    this.#lanes.setPaused(this.#queues.open(name), record?.isPaused ?? false);
  }

  recordOf(name: string): QueueRecord | null {
    return this.#queues.get(name)?.isPaused === true ? { name, isPaused: true } : null;
  }
}

/** Queues that hold a task or have a setting, and those that a connected worker serves. */
function inspectQueues({ queues, workers }: SchedulerState): Reply {
  const served = new Map<string, number>();
  for (const worker of workers) {
    if (!worker.isOpen) continue;
    for (const name of worker.offer.queues) served.set(name, (served.get(name) ?? 0) + 1);
  }
  const views = [...queues].map(({ name, isPaused, counts }) => ({
    name,
    isPaused,
    tasks: { ...counts } as Record<string, number>,
    workers: served.get(name) ?? 0,
  }));
  for (const [name, count] of served) {
    if (queues.get(name) === undefined) views.push({ name, isPaused: false, tasks: {}, workers: count });
  }
  return { kind: "queues", queues: views };
}

export function tooManyQueues(): Reply {
  return refuse("too-many", `Too many queues (${limits.queuesMax}).`, "queuesMax");
}
