/** Attempts of all tasks by when they ended: from documents of tasks and of records, overlaid with what is not in the view yet. */
import type { Document } from "mongodb";
import type { AttemptRecord } from "../../model/attemptRecord.ts";
import type { TaskId } from "../../model/ids.ts";
import type { AttemptPage, AttemptQuery } from "../../ports/store.ts";
import {
  type AttemptPlace,
  type AttemptRow,
  comparePlaces,
  fromAttemptCursor,
  isWanted,
  rowOfRecord,
  rowOfStatus,
  toAttemptPage,
} from "../attemptPage.ts";
import { toRecord, toStatus } from "../documents.ts";
import type { Connection } from "./connection.ts";
import { isGone, isWhole, type Overlay, recordKey } from "./overlay.ts";
import { checkedRecord } from "./records.ts";
import { decodeTask, overlaid, type TaskRow, toKey, toTaskId } from "./taskDocument.ts";
import type { JournalWindow } from "./window.ts";

/** Where the records of attempts stand: `attempts/` and the place of their task in the order of creation. */
const placePattern = /^attempts\/(\d+)$/;

/** A record names its task by its place only; the task is looked up once a page is known. */
const unnamed = { id: "" as TaskId, name: "" };

export class AttemptList {
  readonly #connection: Connection;
  readonly #window: JournalWindow;

  constructor(connection: Connection, window: JournalWindow) {
    this.#connection = connection;
    this.#window = window;
  }

  /** The window must have been brought up to date just before. */
  async page(query: AttemptQuery): Promise<AttemptPage> {
    const after = fromAttemptCursor(query);
    const overlay = this.#window.overlay.copy();
    const pending = await this.#pendingTasks(overlay);
    const rows = [
      ...[...pending.values()].flatMap((task) => rowOfStatus(task, toStatus(task.statusText))),
      ...pendingRecords(overlay),
    ].filter((row) => comparePlaces(row.place, after) > 0 && isWanted(row, query));
    rows.push(
      ...(await this.#storedTasks(query, after, overlay)),
      ...(await this.#storedRecords(query, after, overlay)),
    );
    rows.sort((one, other) => comparePlaces(one.place, other.place));
    const { attempts, cursor } = toAttemptPage(rows.slice(0, query.limit + 1), query);
    const names = await this.#names(rows.slice(0, attempts.length), pending, overlay);
    const named = attempts.flatMap((attempt, index) => {
      if (attempt.task !== unnamed.id) return [attempt];
      // A task that is being forgotten has no name any more.
      const task = names.get(rows[index]?.place.ord ?? 0);
      return task === undefined ? [] : [{ ...attempt, task: task.id, name: task.name }];
    });
    return { attempts: named, cursor };
  }

  /** Tasks of the window, by their place in the order of creation. */
  async #pendingTasks(overlay: Overlay): Promise<Map<number, TaskRow>> {
    const partly = [...overlay.tasks].filter(([, task]) => !isGone(task) && !isWhole(task));
    const keys = partly.map(([id]) => toKey(id, this.#connection));
    const stored = keys.length === 0 ? [] : await this.#connection.tasks.find({ _id: { $in: keys } }).toArray();
    const documents = new Map<TaskId, Document>(stored.map((document) => [toTaskId(document._id), document]));
    const rows = new Map<number, TaskRow>();
    for (const [id, task] of overlay.tasks) {
      const row = isGone(task) ? null : overlaid(id, task, documents.get(id) ?? null);
      if (row !== null) rows.set(row.ord, row);
    }
    return rows;
  }

  async #storedTasks(query: AttemptQuery, after: AttemptPlace, overlay: Overlay): Promise<AttemptRow[]> {
    const cursor = this.#connection.tasks
      .find({ "outlast.attemptEndedAt": { $gte: after.endedAt } })
      .sort({ "outlast.attemptEndedAt": 1 });
    return take(cursor, query, after, (document) => {
      const task = decodeTask(document);
      return task === null || overlay.tasks.has(task.id) ? [] : rowOfStatus(task, toStatus(task.statusText));
    });
  }

  async #storedRecords(query: AttemptQuery, after: AttemptPlace, overlay: Overlay): Promise<AttemptRow[]> {
    const cursor = this.#connection.records.find({ instant: { $gte: after.endedAt } }).sort({ instant: 1 });
    return take(cursor, query, after, (document) => {
      const { place, key, value } = checkedRecord(document, this.#connection);
      const isHidden = overlay.records.has(recordKey({ place, key }));
      return isHidden ? [] : recordRow(place, key, value);
    });
  }

  async #names(
    rows: readonly AttemptRow[],
    pending: ReadonlyMap<number, TaskRow>,
    overlay: Overlay,
  ): Promise<ReadonlyMap<number, Pick<TaskRow, "id" | "name">>> {
    const ords = rows.filter(({ attempt }) => attempt.task === unnamed.id).map(({ place }) => place.ord);
    const wanted = [...new Set(ords)].filter((ord) => !pending.has(ord));
    const names = new Map<number, Pick<TaskRow, "id" | "name">>(pending);
    if (wanted.length === 0) return names;
    for (const document of await this.#connection.tasks.find({ "outlast.ord": { $in: wanted } }).toArray()) {
      const task = decodeTask(document);
      // One that the window knows is among the pending ones, under the place that it has now, or is gone.
      if (task !== null && !overlay.tasks.has(task.id)) names.set(task.ord, task);
    }
    return names;
  }
}

function pendingRecords(overlay: Overlay): AttemptRow[] {
  return [...overlay.records.values()].flatMap(({ place, key, text }) => recordRow(place, key, text));
}

function recordRow(place: string, key: string, text: string | null): AttemptRow[] {
  const ord = Number(placePattern.exec(place)?.[1] ?? Number.NaN);
  if (text === null || Number.isNaN(ord)) return [];
  const record: AttemptRecord = toRecord("attempts", `${ord}/${key}`, text);
  return rowOfRecord({ ...unnamed, ord }, record);
}

/** As many as a page takes, and all others that ended in the same millisecond as the last of them: those come in any order. */
async function take<Stored>(
  cursor: AsyncIterable<Stored>,
  query: AttemptQuery,
  after: AttemptPlace,
  toRows: (document: Stored) => readonly AttemptRow[],
): Promise<AttemptRow[]> {
  const rows: AttemptRow[] = [];
  for await (const document of cursor) {
    for (const row of toRows(document)) {
      if (comparePlaces(row.place, after) <= 0 || !isWanted(row, query)) continue;
      if (rows.length > query.limit && row.place.endedAt > (rows.at(-1)?.place.endedAt ?? 0)) return rows;
      rows.push(row);
    }
  }
  return rows;
}
