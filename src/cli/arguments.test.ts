/** Tests of how arguments are read. */
import { expect, test } from "vitest";
import { masterList } from "./arguments.ts";

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
