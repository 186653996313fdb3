/** Reads children, steps, attempts and artifacts of tasks from the store, page by page, on any master. */
import { type AttemptRecord, lastAttemptOf, type TaskAttempt } from "../../model/attemptRecord.ts";
import type { ArtifactRecord } from "../../model/blob.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { AttemptQuery, TaskQuery } from "../../ports/store.ts";
import { readArtifacts } from "../artifactReads.ts";
import { readStepsPage } from "./familyReads.ts";
import { childrenOf } from "./generations.ts";
import type { TaskReads } from "./taskReads.ts";
import type {
  AttemptsOfTask,
  ChildPage,
  ChildQuery,
  PageQuery,
  StepPage,
  TaskAttemptPage,
  TaskViewApi,
} from "./taskViewApi.ts";
import type { ServiceCalls } from "./templateService.ts";

/** In front of a cursor of the list of attempts: whether it stands among those that have ended or those that run. */
const marks = { ended: "e", running: "r" } as const;

export class TaskViewService implements TaskViewApi {
  readonly #calls: Pick<ServiceCalls, "read" | "store">;
  readonly #tasks: TaskReads;

  constructor(calls: Pick<ServiceCalls, "read" | "store">, tasks: TaskReads) {
    this.#calls = calls;
    this.#tasks = tasks;
  }

  async children(parent: TaskId, { generation, ...query }: ChildQuery): Promise<ChildPage> {
    const task = await this.#task(parent);
    const { childCounts: counts = {} } = task;
    if (generation === undefined) return { ...(await this.#tasks.listTasks({ ...query, parent })), counts };
    const { read, store } = this.#calls;
    const reads = { store, list: (each: TaskQuery) => this.#tasks.listTasks(each) };
    return { ...(await read(() => childrenOf(reads, task, generation, { ...query, parent }))), counts };
  }

  async steps(task: TaskId, { cursor, limit }: PageQuery): Promise<StepPage> {
    const { family } = await this.#task(task);
    const place = { task, epoch: family?.epoch ?? 0, after: cursor, limit };
    const { steps, next } = await this.#calls.read(() => readStepsPage(this.#calls.store, place));
    return { steps, cursor: next };
  }

  async attempts(task: TaskId, { cursor, limit }: PageQuery): Promise<AttemptsOfTask> {
    const { read, store } = this.#calls;
    if (cursor !== null && !/^\d{9}$/.test(cursor)) throw noSuchCursor();
    const document = await this.#task(task);
    const { records, isMore } = await read(() =>
      store.listRecords("attempts", {
        idPrefix: `${task}/`,
        ...(cursor !== null && { after: `${task}/${cursor}` }),
        limit,
      }),
    );
    const attempts: AttemptRecord[] = records.map(({ value }) => value);
    if (isMore) return { attempts, cursor: records.at(-1)?.id.slice(task.length + 1) ?? null };
    const current = lastAttemptOf(document);
    // It may have ended, and have got a record, since the document was read; and one page more may be needed for it.
    const isMissing = current !== null && current.attempt > (attempts.at(-1)?.attempt ?? Number(cursor ?? 0));
    if (isMissing && attempts.length === limit)
      return { attempts, cursor: records.at(-1)?.id.slice(task.length + 1) ?? null };
    return { attempts: isMissing ? [...attempts, current] : attempts, cursor: null };
  }

  async artifacts(task: TaskId): Promise<readonly ArtifactRecord[]> {
    const { read, store } = this.#calls;
    const { state, attempt } = await this.#task(task);
    // Whole or not at all: what an attempt has left so far is shown to nobody before it is committed.
    if (state !== "success") return [];
    return read(() => readArtifacts(store, task, attempt));
  }

  async listAttempts(query: AttemptQuery): Promise<TaskAttemptPage> {
    const mark = query.cursor?.[0] ?? marks.ended;
    const cursor = query.cursor?.slice(1) ?? null;
    if (mark === marks.running) return this.#running({ ...query, cursor: cursor === "" ? null : cursor });
    if (mark !== marks.ended) throw noSuchCursor();
    const page = await this.#calls.read(() => this.#calls.store.listAttempts({ ...query, cursor }));
    return { attempts: page.attempts, cursor: page.cursor === null ? marks.running : marks.ended + page.cursor };
  }

  async #running({ to, worker, cursor, limit }: AttemptQuery): Promise<TaskAttemptPage> {
    const filter = { states: ["running"], ...(worker !== undefined && { host: worker }), order: "oldest" } as const;
    const page = await this.#tasks.listTasks({ ...filter, cursor, limit });
    const attempts = page.tasks.flatMap((task): TaskAttempt[] => {
      const attempt = lastAttemptOf(task);
      return attempt === null || attempt.assignedAt >= to ? [] : [{ task: task.id, name: task.name, ...attempt }];
    });
    return { attempts, cursor: page.cursor === null ? null : marks.running + page.cursor };
  }

  async #task(id: TaskId): Promise<TaskDocument> {
    const document = await this.#tasks.readTask(id);
    if (document !== null) return document;
    throw new OutlastError("not-found", `There is no task ${id}.`, {
      hint: "Finished tasks are removed when their retention is over.",
    });
  }
}

function noSuchCursor(): OutlastError {
  return new OutlastError("bad-request", "This cursor does not belong to this list.", {
    path: "/cursor",
    hint: "Give back the cursor of the page before, or none for the first page.",
  });
}
