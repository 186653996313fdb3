/** Bulk operations of a fake master: says which of its tasks match, one at a time, and changes nothing. */
import type { BulkAction, BulkAnswer, BulkApi, BulkRequest } from "../../master/service/bulkApi.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";

export class FakeBulkApi implements BulkApi {
  readonly asked: { readonly action: BulkAction; readonly request: BulkRequest }[] = [];
  readonly #master: { readonly tasks: ReadonlyMap<TaskId, TaskDocument> };

  constructor(master: { readonly tasks: ReadonlyMap<TaskId, TaskDocument> }) {
    this.#master = master;
  }

  async run(action: BulkAction, request: BulkRequest): Promise<BulkAnswer> {
    this.asked.push({ action, request });
    const { queue, states } = request.filter;
    const ids = [...this.#master.tasks.values()]
      .filter((task) => (queue ?? task.queue) === task.queue && (states?.includes(task.state) ?? true))
      .map(({ id }) => id);
    const at = request.cursor === null ? 0 : ids.indexOf(request.cursor as TaskId);
    const id = ids[at];
    return { tasks: id === undefined ? [] : [id], refused: [], cursor: ids[at + 1] ?? null };
  }
}
