/** What is to be said about one collection of records; all descriptors stand in `table.ts`. */

/** JSON data that nobody changes. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | readonly PlainData[]
  | { readonly [name: string]: PlainData | undefined };

/** How a committed change is reported on `/v1/events`. */
export interface RecordEvent {
  readonly event: string;
  readonly data: object;
}

/**
 * `Value` is the record as it is stored: plain JSON data. The id of a record is a string that its collection chooses; see
 * `isOwnedByTask` for the one rule about its form.
 */
export interface Collection<Value> {
  /** Raised when an older master could no longer understand the values. A leader's marker lists the version of every collection. */
  readonly version: number;
  /** `hot`: every master holds all of it in memory. `cold`: it is only in the store, and read a page at a time. */
  readonly keeping: "hot" | "cold";
  /**
   * True: ids are `<task id>/<key>`, the collection is cold, and the store removes the records together with their task.
   * False: ids hold no slash.
   */
  readonly isOwnedByTask: boolean;
  /** What is wrong with a value, as the end of a sentence; null if nothing is. */
  problemOf(id: string, value: unknown): string | null;
  /** The part of a value that leader and standbys must agree on. Hot collections only; usually all of it. */
  digestOf(value: Value): PlainData;
  /** Of a collection that is also read by time over all tasks: the instant that stores find a record by. */
  instantOf?(value: Value): number | null;
  /** The event that a change makes; null if it makes none. A `value` of null means that the record was removed. */
  toEvent(id: string, value: Value | null): RecordEvent | null;
}

/** True for a JSON object, as opposed to an array, null or a scalar. */
export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
