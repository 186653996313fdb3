/** Ids are valid, unique and sorted by time of creation. */
import { expect, test } from "vitest";
import { isId } from "../model/ids.ts";
import { SystemIds } from "./ids.ts";

test("ids of tasks are valid, and later ones sort after earlier ones, even when the time stands still or goes back", () => {
  const ids = new SystemIds();
  const times = [1000, 1000, 1001, 900, 5000, ...Array.from({ length: 10_000 }, () => 5000), 5001];
  const made = times.map((time) => ids.task(time));
  expect(made.every(isId)).toBe(true);
  expect(made).toEqual([...new Set(made)].sort());
});

test("random names are valid and do not repeat", () => {
  const ids = new SystemIds();
  const made = Array.from({ length: 10_000 }, () => ids.random());
  expect(made.every((id) => isId(id) && id.length === 32)).toBe(true);
  expect(new Set(made).size).toBe(made.length);
});
