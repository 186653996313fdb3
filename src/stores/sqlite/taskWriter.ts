/** Brings the rows of tasks up to date with each entry, in the entry's own transaction. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Entry } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskState } from "../../model/task.ts";
import { withoutTask } from "../changes.ts";
import { type PackedEntry, type PackedTask, unpack } from "./packedEntry.ts";
import { RowCache, type TaskRow } from "./rowCache.ts";

/** How many tasks entered or left each state, by queue. */
type CountChanges = Map<string, Map<TaskState, number>>;

export class TaskWriter {
  readonly #cache = new RowCache();
  readonly #find: StatementSync;
  readonly #insertTask: StatementSync;
  readonly #insertSpec: StatementSync;
  readonly #updateStatus: StatementSync;
  readonly #updateTask: StatementSync;
  readonly #updateSpec: StatementSync;
  readonly #deleteTask: StatementSync;
  readonly #deleteSpec: StatementSync;
  readonly #hasLeftovers: StatementSync;
  readonly #remember: StatementSync;
  readonly #count: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#find = prepare("SELECT ord, state, queue FROM tasks WHERE id = ?");
    this.#insertTask = prepare(
      `INSERT INTO tasks (ord, id, name, queue, state, host, seq, status, ended_at, attempt_ended_at, parent)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
    );
    this.#insertSpec = prepare("INSERT INTO specs (ord, fingerprint, spec) VALUES (?, ?, ?)");
    this.#updateStatus = prepare(
      "UPDATE tasks SET state = ?, host = ?, seq = ?, status = ?, ended_at = ?, attempt_ended_at = ? WHERE ord = ?",
    );
    this.#updateTask = prepare("UPDATE tasks SET name = ?, queue = ? WHERE ord = ?");
    this.#updateSpec = prepare("UPDATE specs SET fingerprint = ?, spec = ? WHERE ord = ?");
    this.#deleteTask = prepare("DELETE FROM tasks WHERE ord = ?");
    this.#deleteSpec = prepare("DELETE FROM specs WHERE ord = ?");
    this.#hasLeftovers = prepare(
      "SELECT 1 FROM logs WHERE ord = ?1 UNION ALL SELECT 1 FROM task_records WHERE ord = ?1 LIMIT 1",
    );
    this.#remember = prepare("INSERT INTO forgotten (ord) VALUES (?)");
    this.#count = prepare(
      "INSERT INTO counts (state, queue, count) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
    );
  }

  /**
   * Must run inside the entry's transaction, and be followed by `committed` once that is through.
   * @param tail where the file stands before this entry
   * @returns the highest `ord` that is given away now
   */
  apply({ entry, forgotten, tasks }: PackedEntry, tail: { readonly seq: number; readonly ordMax: number }): number {
    this.#cache.begin(tail.seq);
    let { ordMax } = tail;
    const counts: CountChanges = new Map();
    for (const id of forgotten) this.#forget(id, counts);
    for (const task of unpack(tasks)) {
      if (this.#create(entry, task, ordMax + 1, counts)) ordMax += 1;
      else this.#change(entry, task, counts);
    }
    for (const [queue, states] of counts) {
      for (const [state, by] of states) if (by !== 0) this.#count.run(state, queue, by);
    }
    return ordMax;
  }

  /** Where the row of a task is, as of the changes applied so far. */
  ordOf(id: TaskId): number | null {
    return (this.#cache.get(id) ?? this.#look(id))?.ord ?? null;
  }

  committed(seq: number): void {
    this.#cache.commit(seq);
  }

  /** @returns false if there is no spec to create it from, or it is there already */
  #create({ seq }: Entry, task: PackedTask, ord: number, counts: CountChanges): boolean {
    const { id, spec, name, queue, fingerprint, status, state, endedAt, attemptEndedAt, host, parent } = task;
    if (spec === null || queue === null || status === null || state === null) return false;
    const row = [ord, id, name, queue, state, host, seq, status, endedAt, attemptEndedAt, parent];
    if (this.#insertTask.run(...row).changes === 0) return false;
    this.#insertSpec.run(ord, fingerprint, spec);
    this.#cache.put(id, { ord, state, queue });
    move(counts, state, queue, 1);
    return true;
  }

  #change(entry: Entry, task: PackedTask, counts: CountChanges): void {
    const { id, spec, name, queue, fingerprint, status, state, endedAt, attemptEndedAt, host } = task;
    const cached = this.#cache.get(id);
    const row = cached ?? this.#look(id);
    if (row === undefined) throw withoutTask(entry, id, spec === null ? "spec" : "status");
    const { ord } = row;
    if (spec !== null) {
      this.#updateTask.run(name, queue, ord);
      this.#updateSpec.run(fingerprint, spec, ord);
    }
    if (status !== null) this.#updateStatus.run(state, host, entry.seq, status, endedAt, attemptEndedAt, ord);
    move(counts, row.state, row.queue, -1);
    if (state !== null) row.state = state;
    if (queue !== null) row.queue = queue;
    move(counts, row.state, row.queue, 1);
    if (cached === undefined || isFinal(row.state)) this.#cache.put(id, row);
  }

  #forget(id: TaskId, counts: CountChanges): void {
    const row = this.#look(id);
    if (row === undefined) return;
    this.#cache.drop(id);
    this.#deleteTask.run(row.ord);
    this.#deleteSpec.run(row.ord);
    if (this.#hasLeftovers.get(row.ord) !== undefined) this.#remember.run(row.ord);
    move(counts, row.state, row.queue, -1);
  }

  #look(id: TaskId): TaskRow | undefined {
    const row = this.#find.get(id);
    if (row === undefined) return undefined;
    return { ord: Number(row["ord"]), state: String(row["state"]) as TaskState, queue: String(row["queue"]) };
  }
}

function move(counts: CountChanges, state: TaskState, queue: string, by: number): void {
  let states = counts.get(queue);
  if (states === undefined) {
    states = new Map();
    counts.set(queue, states);
  }
  states.set(state, (states.get(state) ?? 0) + by);
}
