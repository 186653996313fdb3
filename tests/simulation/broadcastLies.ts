/** Lies about broadcasts, for the checker that must see each one. */
import type { Write } from "../../src/model/entry.ts";
import { childId, childPrefix, nodesKey } from "../../src/model/family.ts";
import type { TaskId, WorkerId } from "../../src/model/ids.ts";
import type { TaskStatus } from "../../src/model/task.ts";
import { MadeHistory, spec, status, task, workerRecord } from "./madeHistory.ts";

const prefix = childPrefix(task, 0, nodesKey);
const [first, second] = [childId(prefix, 0), childId(prefix, 1)];
const [here, there] = ["worker-1", "worker-2"] as WorkerId[] as [WorkerId, WorkerId];

function made(id: TaskId, worker: WorkerId): Write[] {
  return [
    { kind: "spec", spec: spec({ id, parent: task, depth: 1, requires: [`worker=${worker}`] }) },
    { kind: "status", status: status({ id }) },
  ];
}

function is(id: TaskId, state: TaskStatus["state"], fields: Partial<TaskStatus> = {}): Write {
  return { kind: "status", status: status({ id, state, ...fields }) };
}

function worker(id: WorkerId, fields: Parameters<typeof workerRecord>[0] = {}): Write {
  return { kind: "record", collection: "workers", id, value: workerRecord({ id, ...fields }) };
}

/** Two workers, and a broadcast that has not begun. */
function waiting(): MadeHistory {
  const history = new MadeHistory();
  history.conditions = { ...history.conditions, broadcastAwayMs: 60_000 };
  return history
    .entry(worker(here), worker(there))
    .entry({ kind: "spec", spec: spec({ broadcast: true }) }, { kind: "status", status: status() });
}

/** Its children are there. */
export function broadcast(): MadeHistory {
  return waiting().entry(...made(first, here), ...made(second, there), is(task, "waiting"));
}

function ended(made: MadeHistory, secondState: "success" | "failed"): MadeHistory {
  return made
    .entry(is(first, "running", { attempt: 1, host: here }), is(second, "running", { attempt: 1, host: there }))
    .entry(is(first, "success", { attempt: 1, host: here }), is(second, secondState, { attempt: 1, host: there }));
}

const gone = { error: { code: "worker-gone", message: "" } };

export const goodBroadcasts: readonly MadeHistory[] = [
  ended(broadcast(), "success").entry(is(task, "success")),
  broadcast()
    .entry(worker(there, { state: "lost" }))
    .later(70_000)
    .entry(is(second, "failed", gone)),
];

export const broadcastLies: { readonly I51: { readonly [name: string]: () => MadeHistory } } = {
  I51: {
    "a worker is left out": () => waiting().entry(...made(first, here), is(task, "waiting")),
    "a worker takes part that drains": () =>
      waiting()
        .entry(worker(there, { isDraining: true }))
        .entry(...made(first, here), ...made(second, there), is(task, "waiting")),
    "a worker takes part that cannot run it": () =>
      waiting()
        .entry(worker(there, { kinds: ["exec"] }))
        .entry(...made(first, here), ...made(second, there), is(task, "waiting")),
    "more children follow later": () => broadcast().entry(...made(childId(prefix, 2), there)),
    "a child runs on the worker of another": () => broadcast().entry(is(first, "running", { attempt: 1, host: there })),
    "it succeeds though a child has failed": () => ended(broadcast(), "failed").entry(is(task, "success")),
    "it fails though all children have succeeded": () =>
      ended(broadcast(), "success").entry(is(task, "failed", { error: { code: "broadcast-failed", message: "" } })),
    "a child fails as if its worker were gone": () =>
      broadcast()
        .later(70_000)
        .entry(is(second, "failed", gone)),
    "a child fails as soon as its worker is away": () =>
      broadcast()
        .entry(worker(there, { state: "lost" }))
        .later(1_000)
        .entry(is(second, "failed", gone)),
    "a child waits for a worker that is gone": () =>
      broadcast()
        .entry(worker(there, { state: "lost" }))
        .later(200_000)
        .entry(is(second, "cancelled")),
  },
};
