/** Lists of tasks in the order of creation, page by page, without reading tables from end to end. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { limits } from "../../model/limits.ts";
import { type TaskDocument, type TaskState, taskStates } from "../../model/task.ts";
import type { StateCount, TaskPage, TaskQuery } from "../../ports/store.ts";
import { fromCursor, toCursor } from "../cursor.ts";
import { toDocument } from "../documents.ts";
import { turn } from "./connection.ts";

/** The part of `tasks_by_state` that holds one state of one queue: in it tasks stand in the order of creation. */
interface Range {
  readonly state: TaskState;
  readonly queue: string;
}

interface Directed {
  readonly all: StatementSync;
  readonly inRange: StatementSync;
}

export class TaskList {
  readonly #counts: () => StateCount[];
  readonly #newest: Directed;
  readonly #oldest: Directed;
  readonly #head: StatementSync;
  readonly #document: StatementSync;

  /** @param counts tells which states and queues there are any tasks of */
  constructor(database: DatabaseSync, counts: () => StateCount[]) {
    this.#counts = counts;
    const directed = (compare: string, order: string): Directed => ({
      all: database.prepare(`SELECT ord FROM tasks WHERE ord ${compare} ? ORDER BY ord ${order} LIMIT ?`),
      inRange: database.prepare(
        `SELECT ord FROM tasks INDEXED BY tasks_by_state
         WHERE state = ? AND queue = ? AND ord ${compare} ? ORDER BY ord ${order} LIMIT ?`,
      ),
    });
    this.#newest = directed("<", "DESC");
    this.#oldest = directed(">", "ASC");
    this.#head = database.prepare("SELECT name, host FROM tasks WHERE ord = ?");
    this.#document = database.prepare("SELECT spec, status FROM tasks JOIN specs USING (ord) WHERE ord = ?");
  }

  async page(query: TaskQuery): Promise<TaskPage> {
    const wanted = query.limit + 1;
    const hasFilter = query.name !== undefined || query.host !== undefined;
    const stepRows = hasFilter ? Math.max(wanted, limits.storeStepRowsMax) : wanted;
    const found: number[] = [];
    let after = fromCursor(query);
    while (found.length < wanted) {
      const step = this.#step(query, after, stepRows);
      found.push(...(hasFilter ? step.filter((ord) => this.#passes(ord, query)) : step));
      const last = step.at(-1);
      if (last === undefined || step.length < stepRows) break;
      after = last;
      // A name or a host is in no index: many tasks may have to be looked at, and others must have their turn.
      if (found.length < wanted) await turn();
    }
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    return {
      tasks: this.#documents(page),
      cursor: found.length > query.limit && last !== undefined ? toCursor(query.order, last) : null,
    };
  }

  /** The next tasks after `after` that are in the wanted states and queue: at most `max`, in order. */
  #step(query: TaskQuery, after: number, max: number): number[] {
    const { all, inRange } = query.order === "newest" ? this.#newest : this.#oldest;
    const ords = (rows: ReturnType<StatementSync["all"]>) => rows.map((row) => Number(row["ord"]));
    if (query.states === undefined && query.queue === undefined) return ords(all.all(after, max));
    const ranges = this.#ranges(query);
    const found = ranges.flatMap(({ state, queue }) => ords(inRange.all(state, queue, after, max)));
    if (ranges.length > 1) found.sort((one, other) => (query.order === "newest" ? other - one : one - other));
    return found.slice(0, max);
  }

  #ranges({ states = taskStates, queue }: TaskQuery): Range[] {
    if (queue !== undefined) return [...new Set(states)].map((state) => ({ state, queue }));
    return this.#counts().filter(({ state }) => states.includes(state));
  }

  #passes(ord: number, { name, host }: TaskQuery): boolean {
    const row = this.#head.get(ord);
    if (row === undefined) return false;
    return (name === undefined || row["name"] === name) && (host === undefined || row["host"] === host);
  }

  #documents(ords: readonly number[]): TaskDocument[] {
    return ords.flatMap((ord) => {
      const row = this.#document.get(ord);
      // It may have been forgotten since its turn in the list.
      return row === undefined ? [] : [toDocument(String(row["spec"]), String(row["status"]))];
    });
  }
}
