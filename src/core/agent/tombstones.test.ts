/** How long, and how much, the Agent remembers of what is over. */
import { expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { Tombstones } from "./tombstones.ts";

const id = (name: string) => name as TaskId;

test("covers an attempt and those before it, not those after it", () => {
  const tombstones = new Tombstones();
  tombstones.note(id("t"), 3, 0);
  expect([1, 2, 3, 4].map((attempt) => tombstones.covers(id("t"), attempt))).toEqual([true, true, true, false]);
  tombstones.note(id("t"), 2, 0);
  expect(tombstones.covers(id("t"), 3)).toBe(true);
});

test("keeps what it was told for at least as long as a message may live", () => {
  const tombstones = new Tombstones();
  const start = 1_000_000;
  tombstones.note(id("first"), 1, start);
  const aged = start + limits.tombstoneMsMin - 1;
  for (let at = start; at <= aged; at += 1000) tombstones.note(id(`t${at}`), 1, at);
  expect(tombstones.covers(id("first"), 1)).toBe(true);
  for (let at = aged; at <= aged + 2 * limits.tombstoneMsMin; at += 1000) tombstones.note(id(`u${at}`), 1, at);
  expect(tombstones.covers(id("first"), 1)).toBe(false);
});

test("noting an attempt again makes it young again", () => {
  const tombstones = new Tombstones();
  tombstones.note(id("t"), 1, limits.tombstoneMsMin);
  tombstones.note(id("other"), 1, 2 * limits.tombstoneMsMin);
  tombstones.note(id("t"), 1, 2 * limits.tombstoneMsMin);
  tombstones.note(id("another"), 1, 3 * limits.tombstoneMsMin);
  expect(tombstones.covers(id("t"), 1)).toBe(true);
});

test("holds no more than its bound, the latest of them in any case", () => {
  const tombstones = new Tombstones();
  for (let index = 0; index < 2 * limits.tombstonesMax; index += 1) tombstones.note(id(`t${index}`), 1, 1);
  let kept = 0;
  for (let index = 0; index < 2 * limits.tombstonesMax; index += 1)
    kept += Number(tombstones.covers(id(`t${index}`), 1));
  expect(kept).toBeLessThanOrEqual(limits.tombstonesMax);
  expect(tombstones.covers(id(`t${2 * limits.tombstonesMax - limits.tombstonesMax / 2}`), 1)).toBe(true);
});
