/** The rows of tasks: brought up to date with each entry, in the entry's own transaction, and read by id. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskDocument, type TaskPayload, type TaskState } from "../../model/task.ts";
import type { OutgoingEntry, StateCount } from "../../ports/store.ts";
import { type Changes, type TaskChange, withoutTask } from "../changes.ts";
import { toDocument, toPayload } from "../documents.ts";

/** How many tasks entered or left each `state queue`. */
type CountChanges = Map<string, number>;

export class TaskTable {
  readonly #find: StatementSync;
  readonly #insertTask: StatementSync;
  readonly #insertSpec: StatementSync;
  readonly #updateStatus: StatementSync;
  readonly #updateTask: StatementSync;
  readonly #updateSpec: StatementSync;
  readonly #deleteTask: StatementSync;
  readonly #deleteSpec: StatementSync;
  readonly #hasLogs: StatementSync;
  readonly #rememberLogs: StatementSync;
  readonly #count: StatementSync;
  readonly #counts: StatementSync;
  readonly #document: StatementSync;
  readonly #spec: StatementSync;
  readonly #fingerprint: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#find = prepare("SELECT ord, state, queue FROM tasks WHERE id = ?");
    this.#insertTask = prepare(
      "INSERT INTO tasks (ord, id, name, queue, state, host, seq, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#insertSpec = prepare("INSERT INTO specs (ord, fingerprint, spec) VALUES (?, ?, ?)");
    this.#updateStatus = prepare("UPDATE tasks SET state = ?, host = ?, seq = ?, status = ? WHERE ord = ?");
    this.#updateTask = prepare("UPDATE tasks SET name = ?, queue = ? WHERE ord = ?");
    this.#updateSpec = prepare("UPDATE specs SET fingerprint = ?, spec = ? WHERE ord = ?");
    this.#deleteTask = prepare("DELETE FROM tasks WHERE ord = ?");
    this.#deleteSpec = prepare("DELETE FROM specs WHERE ord = ?");
    this.#hasLogs = prepare("SELECT 1 FROM logs WHERE ord = ? LIMIT 1");
    this.#rememberLogs = prepare("INSERT INTO forgotten (ord) VALUES (?)");
    this.#count = prepare(
      "INSERT INTO counts (state, queue, count) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
    );
    this.#counts = prepare("SELECT state, queue, count FROM counts WHERE count > 0 ORDER BY queue, state");
    this.#document = prepare("SELECT spec, status FROM tasks JOIN specs USING (ord) WHERE id = ?");
    this.#spec = prepare("SELECT spec FROM tasks JOIN specs USING (ord) WHERE id = ?");
    this.#fingerprint = prepare("SELECT fingerprint FROM tasks JOIN specs USING (ord) WHERE id = ?");
  }

  /** Must run inside the entry's transaction. Returns the highest `ord` that is given away now. */
  apply(entry: OutgoingEntry, changes: Changes, ordMaxBefore: number): number {
    let ordMax = ordMaxBefore;
    const counts: CountChanges = new Map();
    for (const id of changes.forgottenTasks) this.#forget(id, counts);
    for (const [id, change] of changes.tasks) {
      const { spec, status } = change;
      const found = this.#find.get(id);
      if (found !== undefined) {
        this.#change(
          entry.seq,
          { ord: Number(found["ord"]), state: String(found["state"]), queue: String(found["queue"]) },
          change,
          counts,
        );
        continue;
      }
      if (spec === null) throw withoutTask(entry, id, "spec");
      if (status === null) throw withoutTask(entry, id, "status");
      ordMax += 1;
      this.#insertTask.run(
        ordMax,
        id,
        spec.name,
        spec.queue,
        status.state,
        status.host ?? null,
        entry.seq,
        change.statusText,
      );
      this.#insertSpec.run(ordMax, spec.fingerprint, change.specText);
      move(counts, status.state, spec.queue, 1);
    }
    for (const [key, by] of counts) {
      const [state = "", queue = ""] = key.split(" ");
      if (by !== 0) this.#count.run(state, queue, by);
    }
    return ordMax;
  }

  document(id: TaskId): TaskDocument | null {
    const row = this.#document.get(id);
    return row === undefined ? null : toDocument(String(row["spec"]), String(row["status"]));
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
    for (const id of ids) {
      const row = this.#fingerprint.get(id);
      if (row !== undefined) found.set(id, row["fingerprint"] === null ? null : String(row["fingerprint"]));
    }
    return found;
  }

  ordOf(id: TaskId): number | null {
    const row = this.#find.get(id);
    return row === undefined ? null : Number(row["ord"]);
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

  #change(
    seq: number,
    row: { ord: number; state: string; queue: string },
    change: TaskChange,
    counts: CountChanges,
  ): void {
    const { spec, specText, status, statusText } = change;
    if (spec !== null) {
      this.#updateTask.run(spec.name, spec.queue, row.ord);
      this.#updateSpec.run(spec.fingerprint, specText, row.ord);
    }
    if (status !== null) this.#updateStatus.run(status.state, status.host ?? null, seq, statusText, row.ord);
    move(counts, row.state, row.queue, -1);
    move(counts, status?.state ?? row.state, spec?.queue ?? row.queue, 1);
  }

  #forget(id: TaskId, counts: CountChanges): void {
    const row = this.#find.get(id);
    if (row === undefined) return;
    const ord = Number(row["ord"]);
    this.#deleteTask.run(ord);
    this.#deleteSpec.run(ord);
    if (this.#hasLogs.get(ord) !== undefined) this.#rememberLogs.run(ord);
    move(counts, String(row["state"]), String(row["queue"]), -1);
  }
}

/** Neither a state nor a queue's name can hold a space. */
function move(counts: CountChanges, state: string, queue: string, by: number): void {
  const key = `${state} ${queue}`;
  counts.set(key, (counts.get(key) ?? 0) + by);
}
