/** Writes the rows of tasks, inside somebody's transaction, and keeps count of them. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TaskId } from "../../model/ids.ts";
import { withoutTask } from "../changes.ts";
import type { PendingTask, TaskRow } from "./pending.ts";

/** How many tasks entered or left each `state queue`. */
type CountChanges = Map<string, number>;

export class TaskWriter {
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

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#find = prepare("SELECT ord, state, queue FROM tasks WHERE id = ?");
    this.#insertTask = prepare(
      `INSERT INTO tasks (ord, id, name, queue, state, host, seq, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
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
  }

  /** @returns the highest `ord` that is given away now */
  write(tasks: readonly PendingTask[], ordMaxBefore: number): number {
    let ordMax = ordMaxBefore;
    const counts: CountChanges = new Map();
    for (const task of tasks) {
      if (this.#create(task, ordMax + 1, counts)) ordMax += 1;
      else this.#change(task, counts);
    }
    this.#keepCount(counts);
    return ordMax;
  }

  forget(ids: readonly TaskId[]): void {
    const counts: CountChanges = new Map();
    for (const id of ids) {
      const row = this.look(id);
      if (row === undefined) continue;
      this.#deleteTask.run(row.ord);
      this.#deleteSpec.run(row.ord);
      if (this.#hasLogs.get(row.ord) !== undefined) this.#rememberLogs.run(row.ord);
      move(counts, row.state, row.queue, -1);
    }
    this.#keepCount(counts);
  }

  /** @returns false if there is no spec to create it from, or it is there already */
  #create({ id, spec, status, seq }: PendingTask, ord: number, counts: CountChanges): boolean {
    if (spec === null || status === null) return false;
    const { name, queue, fingerprint } = spec;
    const { state, host } = status;
    if (this.#insertTask.run(ord, id, name, queue, state, host, seq, status.text).changes === 0) return false;
    this.#insertSpec.run(ord, fingerprint, spec.text);
    move(counts, state, queue, 1);
    return true;
  }

  #change(task: PendingTask, counts: CountChanges): void {
    const { id, spec, status, seq } = task;
    const row = task.row ?? this.look(id);
    if (row === undefined) throw withoutTask({ seq }, id, "spec");
    if (spec !== null) {
      this.#updateTask.run(spec.name, spec.queue, row.ord);
      this.#updateSpec.run(spec.fingerprint, spec.text, row.ord);
    }
    if (status !== null) this.#updateStatus.run(status.state, status.host, seq, status.text, row.ord);
    move(counts, row.state, row.queue, -1);
    move(counts, status?.state ?? row.state, spec?.queue ?? row.queue, 1);
  }

  look(id: TaskId): TaskRow | undefined {
    const row = this.#find.get(id);
    if (row === undefined) return undefined;
    return { ord: Number(row["ord"]), state: String(row["state"]), queue: String(row["queue"]) };
  }

  #keepCount(counts: CountChanges): void {
    for (const [key, by] of counts) {
      const [state = "", queue = ""] = key.split(" ");
      if (by !== 0) this.#count.run(state, queue, by);
    }
  }
}

/** Neither a state nor a queue's name can hold a space. */
function move(counts: CountChanges, state: string, queue: string, by: number): void {
  const key = `${state} ${queue}`;
  counts.set(key, (counts.get(key) ?? 0) + by);
}
