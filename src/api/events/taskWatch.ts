/** Notifies those who follow certain tasks when these change, with one subscription to the journal for all of them. */
import type { ChangeBatch, MasterApi, Subscription } from "../../master/service/masterApi.ts";
import type { Write } from "../../model/entry.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";

/** A change of a task. */
export type TaskWrite = Extract<Write, { readonly kind: "status" | "forget-task" }>;

/**
 * changes  the writes of one entry that concern the watched tasks
 * leader   another master leads
 * gap      changes were missed: read the tasks again
 */
export type TaskNews =
  | { readonly kind: "changes"; readonly batch: ChangeBatch; readonly writes: readonly TaskWrite[] }
  | { readonly kind: "leader" }
  | { readonly kind: "gap" };

type Listener = (news: TaskNews) => void;

export class TaskWatch {
  readonly #master: MasterApi;
  readonly #listeners = new Map<TaskId, Set<Listener>>();
  /** Tasks that are watched, counted once for each listener. */
  #count = 0;
  #subscription: Promise<Subscription> | null = null;
  #seq = 0;

  constructor(master: MasterApi) {
    this.#master = master;
  }

  /** The last journal entry of which all who watch have been told. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Reports every change of these tasks that is committed after this has resolved. Returns how to stop.
   * The cost of a change does not depend on how many others watch other tasks.
   * @throws OutlastError `too-many`
   */
  async watch(ids: ReadonlySet<TaskId>, listener: Listener): Promise<() => void> {
    if (this.#count + ids.size > limits.watchedTasksMax) {
      throw new OutlastError("too-many", `Too many watched tasks (${limits.watchedTasksMax}).`, {
        limit: "watchedTasksMax",
      });
    }
    this.#count += ids.size;
    for (const id of ids) {
      const listeners = this.#listeners.get(id) ?? new Set();
      this.#listeners.set(id, listeners.add(listener));
    }
    let isStopped = false;
    const stop = () => {
      if (!isStopped) this.#stop(ids, listener);
      isStopped = true;
    };
    try {
      this.#subscription ??= this.#master.changes(
        null,
        (batch) => this.#tell(batch),
        () => this.#tellAll({ kind: "gap" }),
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
    const writes = new Map<Listener, TaskWrite[]>();
    for (const write of batch.writes) {
      if (write.kind === "marker") this.#tellAll({ kind: "leader" });
      if (write.kind !== "status" && write.kind !== "forget-task") continue;
      for (const listener of this.#listeners.get(idOf(write)) ?? []) {
        const own = writes.get(listener);
        if (own === undefined) writes.set(listener, [write]);
        else own.push(write);
      }
    }
    for (const [listener, own] of writes) listener({ kind: "changes", batch, writes: own });
    this.#seq = batch.seq;
  }

  #tellAll(news: TaskNews): void {
    const all = new Set([...this.#listeners.values()].flatMap((listeners) => [...listeners]));
    for (const listener of all) listener(news);
  }

  #stop(ids: ReadonlySet<TaskId>, listener: Listener): void {
    this.#count -= ids.size;
    for (const id of ids) {
      const listeners = this.#listeners.get(id);
      listeners?.delete(listener);
      if (listeners?.size === 0) this.#listeners.delete(id);
    }
    if (this.#listeners.size > 0 || this.#subscription === null) return;
    // A failed subscription was reported to all who waited for it.
    this.#subscription.then((subscription) => subscription.close()).catch(() => {});
    this.#subscription = null;
  }
}

export function idOf(write: TaskWrite): TaskId {
  return write.kind === "status" ? write.status.id : write.id;
}
