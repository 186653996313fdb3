/** Deletes finished tasks, whole families too: what is below a root goes first, part by part, and the root once nothing is left. */
import { mayHaveChildren } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { isFinal, type TaskDocument } from "../../model/task.ts";
import type { BulkAnswer } from "./bulkApi.ts";
import { changeInChunks } from "./bulkChunks.ts";
import type { ServiceCalls } from "./templateService.ts";

/** Tasks of one look at the store, which was asked at `seq`. */
interface Look {
  readonly seq: number;
  readonly tasks: readonly TaskDocument[];
}

export interface Deleted extends Pick<BulkAnswer, "tasks" | "refused"> {
  /** False if there is more to delete below one of the roots. */
  readonly isWhole: boolean;
}

export class BulkDeletes {
  readonly #calls: Pick<ServiceCalls, "store" | "ask" | "read">;

  constructor(calls: Pick<ServiceCalls, "store" | "ask" | "read">) {
    this.#calls = calls;
  }

  /** @param roots finished tasks without a parent. Broken off, what is left of a family is found by its root again */
  async run({ seq, tasks: roots }: Look, by?: Actor): Promise<Deleted> {
    const alone = roots.filter(({ family }) => !mayHaveChildren(family));
    const done = new Set(await this.#delete({ seq, tasks: alone }, by));
    const budget = { left: limits.bulkFamilyTasksMax };
    let isWhole = true;
    for (const { id } of roots.filter(({ family }) => mayHaveChildren(family))) {
      const state = await this.#clear(id, budget, by);
      if (state === "more") {
        isWhole = false;
        break;
      }
      // The scheduler remembers only so many deletions, and there may have been more since the first look.
      if (state === "clear" && (await this.#delete(await this.#lookAt(id), by)).length > 0) done.add(id);
    }
    const tasks = roots.flatMap(({ id }) => (done.has(id) ? [id] : []));
    return { tasks, refused: isWhole ? await this.#leftOf(roots, done) : [], isWhole };
  }

  /** Deletes what is below a root, children of a task before itself. `stuck`: the family is not to go now. */
  async #clear(root: TaskId, budget: { left: number }, by: Actor | undefined): Promise<"clear" | "more" | "stuck"> {
    const path = [root];
    const cleared = new Set<TaskId>();
    while (budget.left > 0) {
      const parent = path.at(-1);
      if (parent === undefined) return "clear";
      const look = await this.#childrenOf(parent);
      const deeper = look.tasks.find(({ id, family }) => mayHaveChildren(family) && !cleared.has(id));
      if (deeper !== undefined) path.push(deeper.id);
      else if (look.tasks.length === 0) {
        cleared.add(parent);
        path.pop();
      } else {
        const done = await this.#delete({ ...look, tasks: [...(await this.#backupsOf(look)), ...look.tasks] }, by);
        if (done.length === 0) return "stuck";
        budget.left -= done.length;
      }
    }
    return "more";
  }

  async #childrenOf(parent: TaskId): Promise<Look> {
    const { store, read } = this.#calls;
    // Asked first: what the list shows is at least as new.
    const { seq } = await read(() => store.findTasks([]));
    const query = { parent, order: "oldest", cursor: null, limit: limits.bulkChunkMax } as const;
    const { tasks } = await read(() => store.listTasks(query));
    return { seq, tasks };
  }

  /** They count nowhere, also not among the children: only the tasks that they are backups of know them, and must not go first. */
  async #backupsOf({ tasks }: Look): Promise<readonly TaskDocument[]> {
    const { store, read } = this.#calls;
    const ids = tasks.flatMap(({ backup }) => (backup === undefined ? [] : [backup.id]));
    const found = await Promise.all(ids.map((id) => read(() => store.readTask(id))));
    return found.filter((task) => task !== null);
  }

  async #lookAt(id: TaskId): Promise<Look> {
    const { store, read } = this.#calls;
    const { seq } = await read(() => store.findTasks([]));
    const task = await read(() => store.readTask(id));
    return { seq, tasks: task === null ? [] : [task] };
  }

  async #delete({ seq, tasks }: Look, by: Actor | undefined): Promise<readonly TaskId[]> {
    const finished = tasks.flatMap(({ id, queue, state }) => (isFinal(state) ? [{ id, queue, state }] : []));
    return changeInChunks(
      this.#calls,
      finished,
      (request, some) => ({ kind: "delete-many", request, tasks: some, seq }),
      by,
    );
  }

  /** Those that are still there. */
  async #leftOf(roots: readonly TaskDocument[], done: ReadonlySet<TaskId>): Promise<BulkAnswer["refused"]> {
    const left = roots.flatMap(({ id }) => (done.has(id) ? [] : [id]));
    if (left.length === 0) return [];
    const { store, read } = this.#calls;
    const { found } = await read(() => store.findTasks(left));
    const message = "An unfinished task waits for it, or it is open again.";
    return left.filter((id) => found.has(id)).map((id) => ({ id, message }));
  }
}
