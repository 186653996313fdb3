/** What SQLite's error numbers mean to a master: try again, or never use this file. */
import { describe, expect, test } from "vitest";
import { StoreRefused, StoreUnavailable } from "../../ports/store.ts";
import { toStoreError } from "./connection.ts";

function sqliteError(errcode: number): Error {
  return Object.assign(new Error("said"), { code: "ERR_SQLITE_ERROR", errcode });
}

describe("toStoreError", () => {
  test.each([
    ["full", 13],
    ["full", 4874],
    ["busy", 5],
    ["busy", 261],
    ["busy", 6],
    ["busy", 15],
    ["io", 10],
    ["io", 1034],
    ["io", 778],
    ["io", 8],
    ["io", 1032],
    ["io", 14],
  ])("%s for SQLite's %d", (reason, errcode) => {
    const error = toStoreError("/x/outlast.db", sqliteError(errcode));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error).toMatchObject({ reason, message: expect.stringContaining("/x/outlast.db") });
  });

  test.each([11, 267, 26])("refused for SQLite's %d", (errcode) => {
    expect(toStoreError("/x/outlast.db", sqliteError(errcode))).toBeInstanceOf(StoreRefused);
  });

  test.each([sqliteError(1), sqliteError(19), new Error("a bug"), "text"])("%s stays what it is", (error) => {
    expect(toStoreError("/x/outlast.db", error)).toBe(error);
  });
});
