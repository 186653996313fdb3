/** Tests of how arguments are read. */
import { expect, test } from "vitest";
import { bytes, masterList } from "./arguments.ts";

test("a master's port may be left out where no scheme says which one is meant", () => {
  expect(masterList("127.0.0.1, box:8080,[::1]")).toEqual([
    "http://127.0.0.1:7070",
    "http://box:8080",
    "http://[::1]:7070",
  ]);
  expect(masterList("[::1]:80,https://box/")).toEqual(["http://[::1]", "https://box"]);
});

test("what is no address of a master is refused", () => {
  for (const text of ["htp://x", "ftp://box", "box:", "http://u:p@box"])
    expect(() => masterList(text)).toThrow(/is not the address of a master/);
});

test("a size takes a unit, and nothing else", () => {
  expect(["512MiB", "2gib", "1.5KiB", "100000", "7b"].map(bytes)).toEqual([2 ** 29, 2 ** 31, 1536, 100_000, 7]);
  for (const wrong of ["", "0", "-1", "5MB", "1.3b2", "MiB", "9".repeat(30)])
    expect(() => bytes(wrong)).toThrow("Must be a size");
});
