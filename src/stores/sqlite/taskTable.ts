/** Tasks by id: what their rows say, and over it what the rows do not know yet. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument, TaskPayload } from "../../model/task.ts";
import { toDocument, toPayload } from "../documents.ts";
import type { Pending } from "./pending.ts";

export class TaskTable {
  readonly #pending: Pick<Pending, "get">;
  readonly #ord: StatementSync;
  readonly #any: StatementSync;
  readonly #records: StatementSync;
  readonly #fingerprint: StatementSync;

  constructor(database: DatabaseSync, pending: Pick<Pending, "get">) {
    this.#pending = pending;
    this.#ord = database.prepare("SELECT ord FROM tasks WHERE id = ?");
    this.#any = database.prepare("SELECT 1 FROM tasks WHERE id BETWEEN ? AND ? LIMIT 1");
    this.#records = database.prepare("SELECT spec, status FROM tasks JOIN specs USING (ord) WHERE id = ?");
    this.#fingerprint = database.prepare("SELECT fingerprint FROM tasks JOIN specs USING (ord) WHERE id = ?");
  }

  document(id: TaskId): TaskDocument | null {
    const row = this.#records.get(id);
    const late = this.#pending.get(id);
    if (row === undefined && late === undefined) return null;
    return toDocument(late?.spec?.text ?? String(row?.["spec"]), late?.status?.text ?? String(row?.["status"]));
  }

  payloads(ids: readonly TaskId[]): Map<TaskId, TaskPayload> {
    const payloads = new Map<TaskId, TaskPayload>();
    for (const id of ids) {
      const text = this.#pending.get(id)?.spec?.text ?? this.#records.get(id)?.["spec"];
      if (text !== undefined) payloads.set(id, toPayload(String(text)));
    }
    return payloads;
  }

  fingerprints(ids: readonly TaskId[]): Map<TaskId, string | null> {
    const found = new Map<TaskId, string | null>();
    const haveNoRows = this.#haveNoRows(ids);
    for (const id of ids) {
      const spec = this.#pending.get(id)?.spec ?? null;
      const row = spec !== null || haveNoRows ? undefined : this.#fingerprint.get(id);
      if (spec !== null) found.set(id, spec.fingerprint);
      else if (row !== undefined) found.set(id, row["fingerprint"] === null ? null : String(row["fingerprint"]));
    }
    return found;
  }

  /** Null also for a task whose row is still to be written. */
  ordOf(id: TaskId): number | null {
    const row = this.#ord.get(id);
    return row === undefined ? null : Number(row["ord"]);
  }

  /** The ids of one call lie side by side, and mostly none of them is there yet: one look at the whole stretch tells that. */
  #haveNoRows(ids: readonly TaskId[]): boolean {
    let [first, last] = [ids[0] ?? "", ids[0] ?? ""];
    for (const id of ids) {
      if (id < first) first = id;
      if (id > last) last = id;
    }
    return this.#any.get(first, last) === undefined;
  }
}
