/** Lists of tasks in the order of creation: stretches of an index, merged, and overlaid with what is not in the view yet. */

import type { Document, Filter } from "mongodb";
import { descendantRange, isDescendant, mayHaveChildren } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { coversQueue } from "../../model/principals/principal.ts";
import { isFinal, taskStates } from "../../model/task.ts";
import type { ExpiredTask, Retention, TaskPage, TaskQuery } from "../../ports/store.ts";
import { fromCursor, toCursor } from "../cursor.ts";
import { toDocument, toStatus } from "../documents.ts";
import type { ExpiredRoot } from "../familyRetention.ts";
import { matches } from "../taskFilter.ts";
import type { Connection, StoredDocument } from "./connection.ts";
import { isGone, isWhole, type PendingTask } from "./overlay.ts";
import { decodeTask, overlaid, type TaskRow, toKey, toTaskId } from "./taskDocument.ts";
import type { JournalWindow } from "./window.ts";

type Query = Omit<TaskQuery, "cursor" | "limit">;

/** Part of an index that is read in the order of `ord`. */
interface Stretch {
  readonly filter: Filter<StoredDocument>;
}

/** So many places in the order of creation are read at first; more each time that too few tasks are found there. */
const spanMin = 256;
const spanGrowth = 8;

export class TaskList {
  readonly #connection: Connection;
  readonly #window: JournalWindow;
  /** What does not change of tasks that the window knows only in part, by id; read once. */
  readonly #documents = new Map<TaskId, Document>();

  constructor(connection: Connection, window: JournalWindow) {
    this.#connection = connection;
    this.#window = window;
  }

  /** The window must have been brought up to date just before. */
  async page(query: TaskQuery): Promise<TaskPage> {
    const rows = await this.#rows(query, fromCursor(query), query.limit + 1);
    let length = 0;
    const end = rows.findIndex(({ specText, statusText }, index) => {
      length += specText.length + statusText.length;
      return index > 0 && length > limits.pageTextMax;
    });
    const page = rows.slice(0, end === -1 ? query.limit : Math.min(end, query.limit));
    const last = page.at(-1);
    return {
      tasks: page.map(({ specText, statusText }) => toDocument(specText, statusText)),
      cursor: rows.length > page.length && last !== undefined ? toCursor(query.order, last.ord) : null,
    };
  }

  /** Those that ended first, of finished tasks that are over their time or over their number. */
  async expired({ endedBefore, keepMax }: Retention, finishedCount: number, max: number): Promise<ExpiredRoot[]> {
    const surplus = Math.max(0, finishedCount - keepMax);
    const overlay = new Map(this.#window.overlay.tasks);
    const pending = await this.#pendingRows(overlay, { order: "oldest", states: taskStates.filter(isFinal) });
    const rows = pending.filter(({ id }) => !isDescendant(id)).map(toEnded);
    const filter = surplus > 0 ? { $exists: true } : { $lt: endedBefore };
    let left = max;
    const cursor = this.#connection.tasks
      .find({ "outlast.endedAt": filter }, { batchSize: limits.storeStepRowsMax })
      .sort({ "outlast.endedAt": 1 });
    for await (const document of cursor) {
      const row = decodeTask(document);
      // One that was opened again after its end keeps that instant until it ends anew.
      if (row === null || overlay.has(row.id) || !isFinal(row.state)) continue;
      rows.push(toEnded(row));
      left -= 1;
      if (left === 0) break;
    }
    return rows
      .sort((one, other) => one.endedAt - other.endedAt || one.ord - other.ord)
      .filter(({ endedAt }, index) => index < surplus || endedAt < endedBefore)
      .slice(0, max)
      .flatMap(({ id, queue, state, statusText, endedAt }) => {
        const hasChildren = mayHaveChildren(toStatus(statusText).family);
        return isFinal(state) ? [{ id, queue, state, hasChildren, isDue: endedAt < endedBefore }] : [];
      });
  }

  /** Finished tasks below a root. The view must have reached the end of the journal. */
  async below(root: TaskId, max: number): Promise<ExpiredTask[]> {
    const { from, until } = descendantRange(root);
    const range = { $gte: toKey(from as TaskId, this.#connection), $lt: toKey(until as TaskId, this.#connection) };
    // Those that were forgotten lately still have a note of that in their place.
    const filter = { _id: range, "outlast.status": { $exists: true } };
    const documents = await this.#connection.tasks.find(filter).sort({ _id: 1 }).limit(max).toArray();
    return documents.flatMap((document) => {
      const row = decodeTask(document);
      return row !== null && isFinal(row.state) ? [{ id: row.id, queue: row.queue, state: row.state }] : [];
    });
  }

  async #rows(query: Query, after: number, wanted: number): Promise<TaskRow[]> {
    const sign = query.order === "newest" ? -1 : 1;
    const overlay = new Map(this.#window.overlay.tasks);
    const pending = (await this.#pendingRows(overlay, query)).filter(({ ord }) => sign * ord > sign * after);
    const isNew = (row: TaskRow): boolean => !overlay.has(row.id) && matches(row, query);
    const stored = await Promise.all(
      stretches(query, this.#connection).map((stretch) => this.#read(stretch, query.order, after, wanted, isNew)),
    );
    return [...pending, ...stored.flat()].sort((one, other) => sign * (one.ord - other.ord)).slice(0, wanted);
  }

  /** Tasks of the window that pass. */
  async #pendingRows(overlay: ReadonlyMap<TaskId, PendingTask>, query: Query): Promise<TaskRow[]> {
    const candidates = [...overlay].filter(([, task]) => !isGone(task) && mayPass(task, query));
    const partly = candidates.filter(([, task]) => !isWhole(task)).map(([id]) => id);
    const documents = await this.#readDocuments(partly);
    return candidates.flatMap(([id, task]) => {
      const row = overlaid(id, task, documents.get(id) ?? null);
      return row !== null && matches(row, query) ? [row] : [];
    });
  }

  async #readDocuments(ids: readonly TaskId[]): Promise<ReadonlyMap<TaskId, Document>> {
    for (const id of this.#documents.keys()) if (!this.#window.overlay.tasks.has(id)) this.#documents.delete(id);
    const keys = ids.filter((id) => !this.#documents.has(id)).map((id) => toKey(id, this.#connection));
    if (keys.length > 0) {
      for (const document of await this.#connection.tasks.find({ _id: { $in: keys } }).toArray())
        this.#documents.set(toTaskId(document._id), document);
    }
    return this.#documents;
  }

  /** At least `wanted` rows after a place in the order of creation, if there are so many. */
  async #read(
    { filter }: Stretch,
    order: TaskQuery["order"],
    after: number,
    wanted: number,
    isWanted: (row: TaskRow) => boolean,
  ): Promise<TaskRow[]> {
    const rows: TaskRow[] = [];
    const isNewest = order === "newest";
    const { ordMax } = this.#window;
    let place = isNewest ? Math.min(after, ordMax + 1) : after;
    for (let span = spanMin; rows.length < wanted && (isNewest ? place > 1 : place < ordMax); span *= spanGrowth) {
      // Bounded at both ends: some servers read all of an index range before they sort it.
      const [low, high] = isNewest
        ? [Math.max(0, place - 1 - span), place - 1]
        : [place, Math.min(ordMax, place + span)];
      const found = await this.#readSpan(filter, low, high, isNewest ? -1 : 1, wanted - rows.length, isWanted);
      rows.push(...found);
      place = isNewest ? low + 1 : high;
    }
    return rows;
  }

  /** Rows with `low < ord <= high` until enough have passed. */
  async #readSpan(
    filter: Filter<StoredDocument>,
    low: number,
    high: number,
    direction: 1 | -1,
    wanted: number,
    isWanted: (row: TaskRow) => boolean,
  ): Promise<TaskRow[]> {
    const rows: TaskRow[] = [];
    const cursor = this.#connection.tasks
      .find({ ...filter, "outlast.ord": { $gt: low, $lte: high } })
      .sort({ "outlast.ord": direction });
    let length = 0;
    for await (const document of cursor) {
      const row = decodeTask(document);
      if (row === null || !isWanted(row)) continue;
      rows.push(row);
      length += row.specText.length;
      if (rows.length >= wanted || (rows.length > 1 && length > limits.pageTextMax)) break;
    }
    return rows;
  }
}

function toEnded(row: TaskRow): TaskRow & { readonly endedAt: number } {
  return { ...row, endedAt: toStatus(row.statusText).changedAt };
}

/** The narrowest parts of indexes that together hold everything that passes. */
function stretches({ states, queue, queues, name, parent, isRoot = false }: Query, connection: Connection): Stretch[] {
  if (states?.length === 0) return [];
  if (name === undefined && (parent !== undefined || isRoot)) return [{ filter: { "outlast.parent": parent ?? null } }];
  if (name !== undefined) {
    // A task that was given no name is named like its id, and stands only under that.
    return [{ filter: { "outlast.name": name } }, { filter: { _id: toKey(name as TaskId, connection) } }];
  }
  if (queue !== undefined) return [{ filter: { "outlast.queue": queue } }];
  const isPlain = queues?.every((pattern) => !pattern.endsWith("*")) === true;
  // A pattern is matched by what is read: a query with a regular expression would read as much.
  if (isPlain) return [...new Set(queues)].map((each) => ({ filter: { "outlast.queue": each } }));
  if (states === undefined) return [{ filter: {} }];
  return [...new Set(states)].map((state) => ({ filter: { "outlast.state": state } }));
}

/** As far as the window alone can tell. */
function mayPass({ spec, status }: PendingTask, query: Query): boolean {
  const { states, queue, queues, name, host, parent, isRoot } = query;
  return (
    (parent === undefined || spec === null || parent === spec.parent) &&
    (isRoot !== true || spec === null || spec.parent === undefined) &&
    (states === undefined || status === null || states.includes(status.state)) &&
    (host === undefined || status === null || host === status.host) &&
    (queue === undefined || spec === null || queue === spec.queue) &&
    (spec === null || coversQueue(queues, spec.queue)) &&
    (name === undefined || spec === null || name === spec.name)
  );
}
