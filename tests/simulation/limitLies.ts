/** Lies about the limits of queues and of concurrency keys. */
import type { TaskId } from "../../src/model/ids.ts";
import type { TaskSpec } from "../../src/model/task.ts";
import type { QueueRecord } from "../../src/model/worker.ts";
import { MadeHistory, spec, status, task } from "./madeHistory.ts";

export const limitLies = {
  I31: {
    "a queue that runs one task more than it may": () => twoAtOnce({ queue: { concurrencyMax: 1 } }),
    "a queue that starts tasks faster than its rate": () => twoAtOnce({ queue: { rate: { count: 1, perMs: 60_000 } } }),
    "two unfinished tasks with one unique key": () => twoAtOnce({ task: { uniqueKey: "a" } }),
    "a task that is answered for a unique key that it does not have": () =>
      new MadeHistory()
        .entry({ kind: "spec", spec: spec() }, { kind: "status", status: status({ state: "created", attempt: 0 }) })
        .add({ kind: "unique-answer", asked: 0, queue: "default", key: "a", task, answer: { isExisting: true } }),
    "a refusal for a unique key that no task has": () =>
      new MadeHistory().add({ kind: "unique-answer", asked: 0, queue: "default", key: "a", task: null, answer: null }),
    "two tasks with one key at a time": () => twoAtOnce({ task: { concurrencyKey: "a" } }),
  },
} satisfies { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } };

/** Two tasks of one queue are assigned in one entry. */
function twoAtOnce({ queue = {}, task = {} }: { queue?: Partial<QueueRecord>; task?: Partial<TaskSpec> }): MadeHistory {
  const value = { name: "default", isPaused: false, ...queue };
  const ids = ["first", "second"] as TaskId[];
  return new MadeHistory()
    .entry({ kind: "record", collection: "queues", id: "default", value })
    .entry(
      ...ids.map((id) => ({ kind: "spec", spec: spec({ id, ...task }) }) as const),
      ...ids.map((id) => ({ kind: "status", status: status({ id, state: "running", attempt: 1 }) }) as const),
    );
}
