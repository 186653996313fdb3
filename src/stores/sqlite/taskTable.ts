/** The rows of tasks as readers see them: by id, and counted. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskDocument, type TaskPayload, type TaskState, type TaskStatus } from "../../model/task.ts";
import type { StateCount } from "../../ports/store.ts";
import { toDocument, toPayload, toStatus } from "../documents.ts";

export class TaskTable {
  readonly #ord: StatementSync;
  readonly #issue: StatementSync;
  readonly #any: StatementSync;
  readonly #counts: StatementSync;
  readonly #document: StatementSync;
  readonly #status: StatementSync;
  readonly #spec: StatementSync;
  readonly #fingerprint: StatementSync;

  constructor(database: DatabaseSync) {
    this.#ord = database.prepare("SELECT ord FROM tasks WHERE id = ?");
    this.#issue = database.prepare(
      `SELECT ord, spec ->> '$.createdAt' AS created_at, status ->> '$.attempt' AS attempt,
         status ->> '$.assignedAt' AS assigned_at FROM tasks JOIN specs USING (ord) WHERE id = ?`,
    );
    this.#any = database.prepare("SELECT 1 FROM tasks WHERE id BETWEEN ? AND ? LIMIT 1");
    this.#counts = database.prepare("SELECT state, queue, count FROM counts WHERE count > 0 ORDER BY queue, state");
    this.#document = database.prepare("SELECT spec, status FROM tasks JOIN specs USING (ord) WHERE id = ?");
    this.#status = database.prepare("SELECT status FROM tasks WHERE id = ?");
    this.#spec = database.prepare("SELECT spec FROM tasks JOIN specs USING (ord) WHERE id = ?");
    this.#fingerprint = database.prepare("SELECT fingerprint FROM tasks JOIN specs USING (ord) WHERE id = ?");
  }

  document(id: TaskId): TaskDocument | null {
    const row = this.#document.get(id);
    return row === undefined ? null : toDocument(String(row["spec"]), String(row["status"]));
  }

  statuses(ids: readonly TaskId[]): Map<TaskId, TaskStatus> {
    const statuses = new Map<TaskId, TaskStatus>();
    for (const id of ids) {
      const row = this.#status.get(id);
      if (row !== undefined) statuses.set(id, toStatus(String(row["status"])));
    }
    return statuses;
  }

  payloads(ids: readonly TaskId[]): Map<TaskId, TaskPayload> {
    const payloads = new Map<TaskId, TaskPayload>();
    for (const id of ids) {
      const row = this.#spec.get(id);
      if (row !== undefined) payloads.set(id, toPayload(String(row["spec"])));
    }
    return payloads;
  }

  fingerprints(ids: readonly TaskId[]): Map<TaskId, string | null> {
    const found = new Map<TaskId, string | null>();
    if (this.#isFree(ids)) return found;
    for (const id of ids) {
      const row = this.#fingerprint.get(id);
      if (row !== undefined) found.set(id, row["fingerprint"] === null ? null : String(row["fingerprint"]));
    }
    return found;
  }

  ordOf(id: TaskId): number | null {
    const row = this.#ord.get(id);
    return row === undefined ? null : Number(row["ord"]);
  }

  /** When the task was created and its last attempt assigned: what tells its output from that of an earlier task of this id. */
  issueOf(id: TaskId): (Pick<TaskDocument, "createdAt" | "attempt" | "assignedAt"> & { readonly ord: number }) | null {
    const row = this.#issue.get(id);
    if (row === undefined) return null;
    const assignedAt = row["assigned_at"];
    return {
      ord: Number(row["ord"]),
      createdAt: Number(row["created_at"]),
      attempt: Number(row["attempt"]),
      ...(assignedAt !== null && { assignedAt: Number(assignedAt) }),
    };
  }

  /** Of every state and queue that has any tasks. */
  counts(): StateCount[] {
    return this.#counts.all().map((row) => ({
      state: String(row["state"]) as TaskState,
      queue: String(row["queue"]),
      count: Number(row["count"]),
    }));
  }

  finishedCounts(): StateCount[] {
    return this.counts().filter(({ state }) => isFinal(state));
  }

  /** The ids of one call lie side by side, and mostly none of them is there yet: one look at the whole stretch tells that. */
  #isFree(ids: readonly TaskId[]): boolean {
    let [first, last] = [ids[0] ?? "", ids[0] ?? ""];
    for (const id of ids) {
      if (id < first) first = id;
      if (id > last) last = id;
    }
    return this.#any.get(first, last) === undefined;
  }
}
