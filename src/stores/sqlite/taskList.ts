/** Lists of tasks in the order of creation, page by page, without reading tables from end to end. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { coversQueue } from "../../model/principals/principal.ts";
import { type TaskDocument, type TaskState, taskStates } from "../../model/task.ts";
import type { StateCount, TaskPage, TaskQuery } from "../../ports/store.ts";
import { fromCursor, toCursor } from "../cursor.ts";
import { toDocument } from "../documents.ts";
import { turn } from "./connection.ts";

/** A task as far as filters need it. */
interface Candidate {
  readonly ord: number;
  readonly state: string;
  readonly queue: string;
  readonly host: string | null;
  readonly parent: string | null;
}

/** Some candidates in order, and whether there are no more after them. */
interface Step {
  readonly candidates: readonly Candidate[];
  readonly isEnd: boolean;
}

/** At least this many are read of each state and queue at a time, so that a page takes few steps. */
const stretchShareMin = 16;

/** Where candidates come from, in one of the two orders. Each statement ends with "after this ord" and "at most so many". */
interface Sources {
  readonly all: StatementSync;
  readonly ofName: StatementSync;
  /** One state of one queue, which is a stretch of `tasks_by_state` in the order of creation. */
  readonly ofStateAndQueue: StatementSync;
  /** Children of one task, or, of null, tasks without a parent. Null while the file has an older layout. */
  readonly ofParent: StatementSync | null;
}

export class TaskList {
  readonly #counts: () => StateCount[];
  readonly #newest: Sources;
  readonly #oldest: Sources;
  readonly #document: StatementSync;

  /**
   * @param counts tells which states and queues there are any tasks of
   * @param isCurrent false for a file of an older layout, where tasks are not found by their parent
   */
  constructor(database: DatabaseSync, counts: () => StateCount[], isCurrent: boolean) {
    this.#counts = counts;
    this.#newest = sources(database, { compare: "<", order: "DESC", isCurrent });
    this.#oldest = sources(database, { compare: ">", order: "ASC", isCurrent });
    this.#document = database.prepare("SELECT spec, status FROM tasks JOIN specs USING (ord) WHERE ord = ?");
  }

  async page(query: TaskQuery): Promise<TaskPage> {
    const wanted = query.limit + 1;
    const isOfFamily = query.parent !== undefined || query.isRoot === true;
    if (isOfFamily && this.#newest.ofParent === null) notMigrated();
    const hasQueueOrState = query.states !== undefined || query.queue !== undefined || query.queues !== undefined;
    const isOtherwiseExact =
      query.name === undefined ? !(isOfFamily && hasQueueOrState) : !isOfFamily && !hasQueueOrState;
    const isExact = query.host === undefined && isOtherwiseExact;
    const stepRows = isExact ? wanted : Math.max(wanted, limits.storeStepRowsMax);
    const found: number[] = [];
    let after = fromCursor(query);
    let isEnd = false;
    while (!isEnd && found.length < wanted) {
      const step = this.#step(query, after, stepRows);
      for (const candidate of step.candidates) {
        if (passes(candidate, query)) found.push(candidate.ord);
      }
      after = step.candidates.at(-1)?.ord ?? after;
      ({ isEnd } = step);
      // Some filters have no index: many tasks may have to be looked at, and others must have their turn.
      if (!isEnd && found.length < wanted) await turn();
    }
    const { tasks, taken } = this.#documents(found.slice(0, query.limit));
    const last = found[taken - 1];
    return { tasks, cursor: found.length > taken && last !== undefined ? toCursor(query.order, last) : null };
  }

  /** The next candidates after `after`, in order, about `max`; from the narrowest source there is. */
  #step(query: TaskQuery, after: number, max: number): Step {
    const isNewest = query.order === "newest";
    const { all, ofName, ofStateAndQueue, ofParent } = isNewest ? this.#newest : this.#oldest;
    const one = (rows: ReturnType<StatementSync["all"]>): Step => ({
      candidates: rows.map(toCandidate),
      isEnd: rows.length < max,
    });
    if (query.name !== undefined) return one(ofName.all(query.name, after, query.name, after, max));
    if (query.parent !== undefined || query.isRoot === true)
      return one((ofParent ?? notMigrated()).all(query.parent ?? null, after, max));
    if (query.states === undefined && query.queue === undefined && query.queues === undefined)
      return one(all.all(after, max));
    const stretches = this.#stretches(query);
    // With many queues a little of each is read: what is taken of each may still be most of what is wanted.
    const share = Math.max(stretchShareMin, Math.ceil((4 * max) / Math.max(1, stretches.length)));
    const each = Math.min(max, share);
    const lists = stretches.map(({ state, queue }) => ofStateAndQueue.all(state, queue, after, each).map(toCandidate));
    return merge(lists, each, isNewest);
  }

  #stretches({ states = taskStates, queue, queues }: TaskQuery): { state: TaskState; queue: string }[] {
    if (queue !== undefined && !coversQueue(queues, queue)) return [];
    if (queue !== undefined) return [...new Set(states)].map((state) => ({ state, queue }));
    return this.#counts().filter(({ state, queue: name }) => states.includes(state) && coversQueue(queues, name));
  }

  /** As many as one page may hold, and of how many of `ords` they are. */
  #documents(ords: readonly number[]): { readonly tasks: TaskDocument[]; readonly taken: number } {
    const tasks: TaskDocument[] = [];
    let length = 0;
    for (const [index, ord] of ords.entries()) {
      const row = this.#document.get(ord);
      // It may have been forgotten since its turn in the list.
      if (row === undefined) continue;
      const [spec, status] = [String(row["spec"]), String(row["status"])];
      length += spec.length + status.length;
      if (tasks.length > 0 && length > limits.pageTextMax) return { tasks, taken: index };
      tasks.push(toDocument(spec, status));
    }
    return { tasks, taken: ords.length };
  }
}

/** Joins stretches that were read up to `each` long. What stands beyond the end of a cut one must wait for the next step. */
function merge(lists: readonly (readonly Candidate[])[], each: number, isNewest: boolean): Step {
  const sign = isNewest ? -1 : 1;
  let horizon = Number.POSITIVE_INFINITY;
  for (const list of lists) {
    const last = list.length < each ? undefined : list.at(-1);
    if (last !== undefined) horizon = Math.min(horizon, sign * last.ord);
  }
  const candidates = lists.flatMap((list) => list.filter(({ ord }) => sign * ord <= horizon));
  candidates.sort((one, other) => sign * (one.ord - other.ord));
  return { candidates, isEnd: horizon === Number.POSITIVE_INFINITY };
}

/** @throws OutlastError `unavailable`: only a leader of this version may bring an older file up to date */
export function notMigrated(): never {
  throw new OutlastError("unavailable", "The store still has the layout of an older version.", {
    hint: "Ask again once a master of this version leads; it brings the store up to date.",
  });
}

interface Direction {
  readonly compare: "<" | ">";
  readonly order: "DESC" | "ASC";
  readonly isCurrent: boolean;
}

function sources(database: DatabaseSync, { compare, order, isCurrent }: Direction): Sources {
  const columns = `ord, state, queue, host, ${isCurrent ? "parent" : "NULL AS parent"}`;
  const end = `ORDER BY ord ${order} LIMIT ?`;
  return {
    all: database.prepare(`SELECT ${columns} FROM tasks WHERE ord ${compare} ? ${end}`),
    // A task that was given no name is named like its id, and stands only in that index.
    ofName: database.prepare(
      `SELECT ${columns} FROM tasks WHERE name = ? AND name <> id AND ord ${compare} ?
       UNION ALL SELECT ${columns} FROM tasks WHERE id = ? AND name = id AND ord ${compare} ? ${end}`,
    ),
    ofStateAndQueue: database.prepare(
      `SELECT ${columns} FROM tasks INDEXED BY tasks_by_state WHERE state = ? AND queue = ? AND ord ${compare} ? ${end}`,
    ),
    ofParent: isCurrent
      ? database.prepare(
          `SELECT ${columns} FROM tasks INDEXED BY tasks_by_parent WHERE parent IS ? AND ord ${compare} ? ${end}`,
        )
      : null,
  };
}

function toCandidate(row: { [column: string]: unknown }): Candidate {
  const { ord, state, queue, host, parent } = row;
  const textOrNull = (value: unknown) => (typeof value === "string" ? value : null);
  return {
    ord: Number(ord),
    state: String(state),
    queue: String(queue),
    host: textOrNull(host),
    parent: textOrNull(parent),
  };
}

function passes({ state, queue, host, parent }: Candidate, query: TaskQuery): boolean {
  return (
    (query.parent === undefined || query.parent === parent) &&
    (query.isRoot !== true || parent === null) &&
    (query.states === undefined || query.states.some((one) => one === state)) &&
    (query.queue === undefined || query.queue === queue) &&
    coversQueue(query.queues, queue) &&
    (query.host === undefined || query.host === host)
  );
}
