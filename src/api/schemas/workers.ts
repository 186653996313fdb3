/** Schemas of workers and queues, and of what a supervisor reports. */
import { limits } from "../../model/limits.ts";
import {
  attempt,
  closed,
  count,
  id,
  instant,
  list,
  oneOf,
  open,
  orNull,
  ref,
  taskId,
  text,
  truth,
  whole,
} from "../../model/schema.ts";

/** Properties of a worker in answers and events. */
const queueRate = closed(
  {
    count: whole(1, limits.rateCountMax, "rateCountMax"),
    perMs: whole(1, limits.ratePerMsMax, "ratePerMsMax"),
  },
  {},
  { description: "At most `count` tasks are started in any `perMs` milliseconds." },
);

export const workerProperties = {
  id,
  boot: { ...id, description: "Random; a new one for each process of this worker." },
  capacity: whole(1, limits.capacityMax, "capacityMax"),
  queues: list(id),
  isDraining: truth,
  state: ref("WorkerState"),
  changedAt: instant,
  hostname: text,
  pid: count,
  version: text,
};
export const optionalWorkerProperties = {
  kinds: list(text),
  labels: list(text),
  probe: ref("ProbeAddress"),
};

export const workerSchemas = {
  WorkerState: oneOf(["connected", "suspect", "lost", "gone"]),
  ProbeAddress: open(
    { host: text, port: count },
    {},
    {
      description:
        "A refused connection to this address proves that the worker is dead. Absent if it would prove nothing.",
    },
  ),
  Worker: open(
    {
      ...workerProperties,
      running: count,
      trouble: { ...orNull(text), description: "Why it takes no tasks at the moment, in its own words." },
      heardAt: {
        ...orNull(instant),
        description: "When the leader last heard from it; null if not since this leader was elected.",
      },
    },
    {
      ...optionalWorkerProperties,
      dying: list(open({ task: taskId, attempt }), {
        description:
          "Attempts that are over while their processes may still be ending, some of them; left out if there is none, and for those who are bound to queues.",
      }),
      servesOthers: {
        const: true,
        description:
          "For those who are bound to queues: it serves queues of others, too, and cannot be drained by them. Left out if not.",
      },
    },
  ),
  WorkerList: open({ workers: list(ref("Worker")) }),
  Draining: open({ id, isDraining: { const: true } }),
  Exit: closed({ boot: id }, {}, { description: "A supervisor saw the process of this boot exit." }),
  ExitNoted: open({ id, boot: id }),
  QueueRate: queueRate,
  QueueLimits: closed(
    {},
    {
      concurrencyMax: {
        ...orNull(whole(1, limits.concurrencyMaxMax, "concurrencyMaxMax")),
        description: "So many of its tasks run at a time; null for no bound, left out to leave it as it is.",
      },
      rate: {
        ...orNull(queueRate),
        description: "How many of its tasks are started in a time; null for no bound, left out to leave it as it is.",
      },
    },
    { minProperties: 1 },
  ),
  QueueLimitsSet: open({ name: id }, { concurrencyMax: count, rate: ref("QueueRate") }),
  Queue: open(
    {
      name: id,
      isPaused: truth,
      tasks: { type: "object", additionalProperties: count, description: "Tasks by state." },
      workers: { ...count, description: "Connected workers that serve it." },
    },
    {
      concurrencyMax: { ...count, description: "So many of its tasks run at a time." },
      rate: ref("QueueRate"),
      waitsLongest: {
        ...open({ id: taskId, since: instant }),
        description:
          "Of the tasks that could start and are first in their line, the one that has waited longest; left out if there is none.",
      },
    },
  ),
  QueueList: open({ queues: list(ref("Queue")) }),
  QueueSet: open({ name: id, isPaused: truth }),
};
