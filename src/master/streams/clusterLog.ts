/** Writes into the master's log what happens to workers and to the attempts on them, as it is committed. */
import type { TaskStep } from "../../core/scheduler/tasks.ts";
import type { Write } from "../../model/entry.ts";
import type { WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { WorkerRecord } from "../../model/worker.ts";
import type { Log } from "../../ports/log.ts";

type Known = Pick<WorkerRecord, "state" | "boot" | "isDraining">;

export class ClusterLog {
  readonly #log: Log;
  readonly #workers = new Map<WorkerId, Known>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** These workers are known when the term begins. */
  begin(workers: Iterable<WorkerRecord>): void {
    this.#workers.clear();
    for (const worker of workers) this.#workers.set(worker.id, worker);
  }

  /** Must be told of every committed write. */
  note(write: Write): void {
    if (write.kind !== "record" || write.collection !== "workers") return;
    const worker = write.value;
    if (worker === null) this.#workers.delete(write.id as WorkerId);
    else this.#noteWorker(worker);
  }

  #noteWorker(worker: WorkerRecord): void {
    const { id, boot, state, isDraining, hostname, capacity } = worker;
    const known = this.#workers.get(id);
    this.#workers.set(id, { state, boot, isDraining });
    if (known?.boot === boot && known.state === state) {
      if (isDraining && !known.isDraining) this.#log.info("a worker drains", { worker: id });
      return;
    }
    switch (state) {
      case "connected":
        return this.#log.info("a worker has attached", { worker: id, boot, hostname, capacity });
      case "lost":
        return this.#log.warn("a worker is lost and was given up", { worker: id, boot, hostname });
      case "gone":
        return this.#log.info("a worker has left", { worker: id, boot });
      default:
        state satisfies never;
    }
  }

  /** Must be told of every committed step. */
  noteSteps(steps: readonly TaskStep[]): void {
    const lost = new Map<string, string[]>();
    for (const { from, to, host, task, losses } of steps) {
      if (from !== "running" || to !== "killed") continue;
      if (losses >= defaults.lossesBeforeAlone)
        this.#log.warn("a task has lost its worker again and again; it waits, and then runs alone on its worker", {
          task,
          losses,
        });
      const tasks = lost.get(host ?? "") ?? [];
      lost.set(host ?? "", tasks);
      tasks.push(task);
    }
    for (const [worker, tasks] of lost) {
      this.#log.warn("attempts ended without a result because of their worker; their tasks run again", {
        worker,
        attempts: tasks.length,
        tasks: tasks.slice(0, limits.loggedTasksMax),
      });
    }
  }
}
