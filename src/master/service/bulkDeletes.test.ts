/** What goes in which order when a family is deleted, over a store that holds documents and nothing else. */
import { expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { Store, TaskQuery } from "../../ports/store.ts";
import { BulkDeletes } from "./bulkDeletes.ts";
import type { ServiceCalls } from "./templateService.ts";

function documentOf(id: string, more: Partial<TaskDocument> = {}): TaskDocument {
  return { id: id as TaskId, queue: "q", state: "success", ...more } as TaskDocument;
}

function deletes(documents: readonly TaskDocument[]) {
  const left = new Map(documents.map((document) => [document.id, document]));
  const gone: TaskId[] = [];
  const store = {
    findTasks: async (ids: readonly TaskId[]) => ({
      seq: 1,
      found: new Map(ids.filter((id) => left.has(id)).map((id) => [id, null])),
    }),
    readTask: async (id: TaskId) => left.get(id) ?? null,
    listTasks: async ({ parent }: TaskQuery) => ({
      tasks: [...left.values()].filter((document) => document.parent === parent),
      cursor: null,
    }),
  } as unknown as Store;
  const ask: ServiceCalls["ask"] = async (question) => {
    const input = question(1);
    if (input.kind !== "delete-many") throw new Error(`It asked for ${input.kind}.`);
    for (const { id } of input.tasks) left.delete(id);
    gone.push(...input.tasks.map(({ id }) => id));
    return { kind: "bulk", done: input.tasks.map(({ id }) => id), seen: input.tasks.length };
  };
  return { bulk: new BulkDeletes({ store, ask, read: (read) => read() }), gone };
}

test("backups, which are no children, go before the tasks that know them", async () => {
  const job = documentOf("job", { family: { children: 2 } as unknown as NonNullable<TaskDocument["family"]> });
  const maps = [
    documentOf("job~1", { parent: job.id }),
    documentOf("job~2", { parent: job.id, backup: { id: "job~b2" as TaskId } }),
  ];
  const backup = documentOf("job~b2", { backupOf: "job~2" as TaskId, state: "cancelled" });
  const { bulk, gone } = deletes([job, ...maps, backup]);
  expect(await bulk.run({ seq: 1, tasks: [job] })).toEqual({ tasks: ["job"], refused: [], isWhole: true });
  expect(gone).toEqual(["job~b2", "job~1", "job~2", "job"]);
});
