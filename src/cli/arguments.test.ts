/** Tests of how arguments are read. */
import { expect, test } from "vitest";
import { masterList } from "./arguments.ts";

test("a master's port may be left out where no scheme says which one is meant", () => {
  expect(masterList("127.0.0.1, box:8080,[::1]")).toEqual([
    "http://127.0.0.1:7070",
    "http://box:8080",
    "http://[::1]:7070",
  ]);
  expect(masterList("[::1]:80,https://box/")).toEqual(["http://[::1]:80", "https://box"]);
});
