/** How long, and how much, the Agent remembers of what is over. */
import { expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { Tombstones } from "./tombstones.ts";

const of = (name: string, attempt: number, assignedAt = 1) => ({ task: name as TaskId, attempt, assignedAt });

test("covers an attempt and those before it, not those after it", () => {
  const tombstones = new Tombstones();
  tombstones.note(of("t", 3), 0);
  expect([1, 2, 3, 4].map((attempt) => tombstones.covers(of("t", attempt)))).toEqual([true, true, true, false]);
  tombstones.note(of("t", 2), 0);
  expect(tombstones.covers(of("t", 3))).toBe(true);
});

test("does not cover an attempt of a later task with the same id", () => {
  const tombstones = new Tombstones();
  tombstones.note(of("t", 3, 10), 0);
  expect(tombstones.covers(of("t", 1, 11))).toBe(false);
  tombstones.note(of("t", 1, 11), 0);
  expect([of("t", 1, 11), of("t", 1, 10), of("t", 2, 12)].map((issued) => tombstones.covers(issued))).toEqual([
    true,
    true,
    false,
  ]);
});

test("still covers the attempts of an earlier task once a later one with its id has had fewer", () => {
  const tombstones = new Tombstones();
  for (const issued of [of("t", 5, 10), of("t", 1, 20), of("t", 1, 30)]) tombstones.note(issued, 0);
  const late = [of("t", 4, 9), of("t", 5, 10), of("t", 1, 20), of("t", 1, 30)];
  expect(late.map((issued) => tombstones.covers(issued))).toEqual([true, true, true, true]);
  expect([of("t", 2, 31), of("t", 1, 31)].map((issued) => tombstones.covers(issued))).toEqual([false, false]);
  tombstones.note(of("t", 6, 40), 0);
  expect(tombstones.covers(of("t", 5, 39))).toBe(true);
});

test("keeps what it was told for at least as long as a message may live", () => {
  const tombstones = new Tombstones();
  const start = 1_000_000;
  tombstones.note(of("first", 1), start);
  const aged = start + limits.tombstoneMsMin - 1;
  for (let at = start; at <= aged; at += 1000) tombstones.note(of(`t${at}`, 1), at);
  expect(tombstones.covers(of("first", 1))).toBe(true);
  for (let at = aged; at <= aged + 2 * limits.tombstoneMsMin; at += 1000) tombstones.note(of(`u${at}`, 1), at);
  expect(tombstones.covers(of("first", 1))).toBe(false);
});

test("noting an attempt again makes it young again", () => {
  const tombstones = new Tombstones();
  tombstones.note(of("t", 1), limits.tombstoneMsMin);
  tombstones.note(of("other", 1), 2 * limits.tombstoneMsMin);
  tombstones.note(of("t", 1), 2 * limits.tombstoneMsMin);
  tombstones.note(of("another", 1), 3 * limits.tombstoneMsMin);
  expect(tombstones.covers(of("t", 1))).toBe(true);
});

test("holds no more than its bound, the latest of them in any case", () => {
  const tombstones = new Tombstones();
  for (let index = 0; index < 2 * limits.tombstonesMax; index += 1) tombstones.note(of(`t${index}`, 1), 1);
  let kept = 0;
  for (let index = 0; index < 2 * limits.tombstonesMax; index += 1)
    kept += Number(tombstones.covers(of(`t${index}`, 1)));
  expect(kept).toBeLessThanOrEqual(limits.tombstonesMax);
  expect(tombstones.covers(of(`t${2 * limits.tombstonesMax - limits.tombstonesMax / 2}`, 1))).toBe(true);
});
