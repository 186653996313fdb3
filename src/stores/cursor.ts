/** Where a page of tasks ended, as the opaque text that clients give back. */
import { OutlastError } from "../model/errors.ts";
import type { TaskQuery } from "../ports/store.ts";

const letters = { newest: "n", oldest: "o" } as const;

/** @param ord the number in the order of creation of the last task on the page */
export function toCursor(order: TaskQuery["order"], ord: number): string {
  return `${letters[order]}${ord.toString(36)}`;
}

/**
 * The `ord` that the next page comes after; where the list begins if there is no cursor.
 * @throws OutlastError `bad-request` for a text that no page ended with, or one from a list in the other order
 */
export function fromCursor(query: Pick<TaskQuery, "order" | "cursor">): number {
  const { order, cursor } = query;
  if (cursor === null) return order === "newest" ? Number.MAX_SAFE_INTEGER : 0;
  const ord = /^[no][0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor.slice(1), 36) : Number.NaN;
  if (!Number.isSafeInteger(ord) || toCursor(order, ord) !== cursor) {
    throw new OutlastError("bad-request", "This cursor does not belong to this list.", {
      path: "/cursor",
      hint: "Give back the cursor of the page before, with the same order, or none for the first page.",
    });
  }
  return ord;
}
