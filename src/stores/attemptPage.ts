/** Pages of attempts over all tasks: their order, and where a page ended, the same in every driver. */
import { type AttemptRecord, type EndedAttempt, lastAttemptOf } from "../model/attemptRecord.ts";
import { OutlastError } from "../model/errors.ts";
import type { TaskId } from "../model/ids.ts";
import type { TaskStatus } from "../model/task.ts";
import type { AttemptPage, AttemptQuery } from "../ports/store.ts";

/** The order of attempts: by when they ended; among equals by the place of their task in the order of creation, then by number. */
export interface AttemptPlace {
  readonly endedAt: number;
  readonly ord: number;
  readonly attempt: number;
}

/** One that was found, with its place. */
export interface AttemptRow {
  readonly place: AttemptPlace;
  readonly attempt: EndedAttempt;
}

/** Comes before everything that ended at or after this instant. */
export function placeBefore(endedAt: number): AttemptPlace {
  return { endedAt, ord: 0, attempt: 0 };
}

/** The place that a page begins after. @throws OutlastError `bad-request` for a text that no page ended with */
export function fromAttemptCursor({ cursor, from }: Pick<AttemptQuery, "cursor" | "from">): AttemptPlace {
  if (cursor === null) return placeBefore(from);
  const [endedAt = 0, ord = 0, attempt = 0] = cursor.split(".").map((part) => Number.parseInt(part, 36));
  const place = { endedAt, ord, attempt };
  if (![endedAt, ord, attempt].every((part) => Number.isSafeInteger(part) && part >= 0) || toCursor(place) !== cursor) {
    throw new OutlastError("bad-request", "This cursor does not belong to this list.", {
      path: "/cursor",
      hint: "Give back the cursor of the page before, or none for the first page.",
    });
  }
  return place;
}

export function comparePlaces(one: AttemptPlace, other: AttemptPlace): number {
  return one.endedAt - other.endedAt || one.ord - other.ord || one.attempt - other.attempt;
}

/** The last attempt of a task as its status tells of it, if it has ended. */
export function rowOfStatus(task: { readonly name: string; readonly ord: number }, status: TaskStatus): AttemptRow[] {
  const attempt = lastAttemptOf(status);
  return attempt === null ? [] : rowOfRecord({ ...task, id: status.id }, attempt);
}

export function rowOfRecord(
  { id, name, ord }: { readonly id: TaskId; readonly name: string; readonly ord: number },
  record: AttemptRecord,
): AttemptRow[] {
  const { attempt, endedAt, outcome } = record;
  if (endedAt === undefined || outcome === undefined) return [];
  return [{ place: { endedAt, ord, attempt }, attempt: { task: id, name, ...record, endedAt, outcome } }];
}

export function isWanted({ attempt }: AttemptRow, { from, to, worker }: AttemptQuery): boolean {
  return attempt.endedAt >= from && attempt.assignedAt < to && (worker === undefined || worker === attempt.worker);
}

/** @param rows in order, one more than a page holds where there are more */
export function toAttemptPage(rows: readonly AttemptRow[], { limit }: AttemptQuery): AttemptPage {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    attempts: page.map(({ attempt }) => attempt),
    cursor: rows.length > page.length && last !== undefined ? toCursor(last.place) : null,
  };
}

/** All rows that there are, where they are at hand. */
export function pageOfAll(rows: readonly AttemptRow[], query: AttemptQuery): AttemptPage {
  const after = fromAttemptCursor(query);
  const wanted = rows.filter((row) => comparePlaces(row.place, after) > 0 && isWanted(row, query));
  return toAttemptPage(
    wanted.toSorted((one, other) => comparePlaces(one.place, other.place)).slice(0, query.limit + 1),
    query,
  );
}

function toCursor({ endedAt, ord, attempt }: AttemptPlace): string {
  return [endedAt, ord, attempt].map((part) => part.toString(36)).join(".");
}
