/** Looks at a disk that hangs: they take up no more than their share, and nobody waits for them without end. */
import { expect, test } from "vitest";
import { BoundedLooks } from "./boundedLooks.ts";

const never = () => new Promise<never>(() => {});
const late = () => new Error("late");

test("no more than so many at once; the others wait for their turn", async () => {
  const looks = new BoundedLooks(2, 60_000);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const look = (number: number) => () => {
    begun.push(number);
    return new Promise<number>((resolve) => ends.push(() => resolve(number)));
  };
  const all = [1, 2, 3].map((number) => looks.run(look(number), late));
  expect(begun).toEqual([1, 2]);
  ends[0]?.();
  expect(await all[0]).toBe(1);
  expect(begun).toEqual([1, 2, 3]);
  ends[1]?.();
  ends[2]?.();
  expect(await Promise.all(all)).toEqual([1, 2, 3]);
});

test("one that hangs is given up, and so is one that would wait for its turn", async () => {
  const looks = new BoundedLooks(1, 20);
  const begun: string[] = [];
  const first = looks.run(never, late);
  const second = looks.run(async () => begun.push("second"), late);
  await expect(first).rejects.toThrow("late");
  await expect(second).rejects.toThrow("late");
  expect(begun).toEqual([]);
});

test("what a look rejects with is passed on", async () => {
  const looks = new BoundedLooks(1, 60_000);
  await expect(looks.run(() => Promise.reject(new Error("missing")), late)).rejects.toThrow("missing");
});
