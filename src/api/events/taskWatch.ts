/** Notifies those who wait for one task when it changes, with one subscription to the journal for all of them. */
import type { ChangeBatch, MasterApi, Subscription } from "../../master/service/masterApi.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskStatus } from "../../model/task.ts";

/** Gets each new status; null if changes may have been missed, or another master leads: read the task again. */
type Listener = (status: TaskStatus | null) => void;

export class TaskWatch {
  readonly #master: MasterApi;
  readonly #listeners = new Map<TaskId, Set<Listener>>();
  #subscription: Promise<Subscription> | null = null;

  constructor(master: MasterApi) {
    this.#master = master;
  }

  /** Reports every status of the task that is committed after this has resolved. Returns how to stop. */
  async watch(id: TaskId, listener: Listener): Promise<() => void> {
    const listeners = this.#listeners.get(id) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(id, listeners);
    const stop = () => this.#stop(id, listener);
    try {
      this.#subscription ??= this.#master.changes(
        null,
        (batch) => this.#tell(batch),
        () => this.#unsettle(),
      );
      await this.#subscription;
    } catch (error) {
      this.#subscription = null;
      stop();
      throw error;
    }
    return stop;
  }

  #tell(batch: ChangeBatch): void {
    for (const write of batch.writes) {
      if (write.kind === "marker") this.#unsettle();
      if (write.kind !== "status") continue;
      for (const listener of this.#listeners.get(write.status.id) ?? []) listener(write.status);
    }
  }

  #unsettle(): void {
    for (const listeners of this.#listeners.values()) for (const listener of listeners) listener(null);
  }

  #stop(id: TaskId, listener: Listener): void {
    const listeners = this.#listeners.get(id);
    if (listeners === undefined || !listeners.delete(listener)) return;
    if (listeners.size === 0) this.#listeners.delete(id);
    if (this.#listeners.size > 0 || this.#subscription === null) return;
    // A failed subscription was reported to all who waited for it.
    this.#subscription.then((subscription) => subscription.close()).catch(() => {});
    this.#subscription = null;
  }
}
