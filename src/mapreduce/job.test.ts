/** Jobs are checked where they are defined, and combiners where users test them. */
import { describe, expect, test } from "vitest";
import { checkCombiner } from "./checkCombiner.ts";
import { type CombineOption, jobsIn, lines, mapReduce, topK, tsv } from "./job.ts";

const job = <Value>(combine: CombineOption<Value>, more: object = {}) =>
  mapReduce<Value>({ name: "j", input: lines("x"), map: () => undefined, combine, output: tsv("out"), ...more });

describe("checkCombiner", () => {
  test.each<[string, unknown, unknown[]]>([
    ["sum", "sum", [1, 2.5, -3]],
    ["max", "max", [1, 2, 3]],
    ["topK", topK(2, ({ n }: { n: number }) => n), [{ n: 1 }, { n: 5 }, { n: 5, x: 1 }, { n: 2 }]],
    [
      "a function",
      (one: { n: number }, other: { n: number }) => ({ n: one.n + other.n }),
      [{ n: 1 }, { n: 2 }, { n: 4 }],
    ],
  ])("accepts %s", (_, combine, sample) => {
    expect(() => checkCombiner(job(combine as CombineOption<never>), sample)).not.toThrow();
  });

  test.each<[string, (one: never, other: never) => unknown, unknown[]]>([
    ["the last value", (_one, other) => other, [1, 2, 3]],
    ["an average", (one: number, other: number) => (one + other) / 2, [1, 2, 9]],
    ["a text of all", (one: string, other: string) => one + other, ["a", "b", "c"]],
  ])("refuses %s", (_, combine, sample) => {
    expect(() => checkCombiner(job(combine as CombineOption<never>), sample)).toThrow("depends on order or grouping");
  });
});

describe("a definition is refused", () => {
  test.each([
    ["name", { name: "no spaces" }, "/name"],
    ["maps", { maps: 0 }, "/maps"],
    ["reduces", { reduces: 1.5 }, "/reduces"],
    ["map", { map: "no function" }, "/map"],
    ["input", { input: lines([]) }, "/input"],
  ])("for its %s", (_, change, path) => {
    expect(() => job("sum", change)).toThrow(expect.objectContaining({ details: { path } }) as Error);
  });

  test("if its module has another of the same name", () => {
    expect(() => jobsIn({ one: job("sum"), two: job("max") })).toThrow('called "j"');
    const one = job("sum");
    expect([...jobsIn({ one, default: one, other: 3 }).values()]).toEqual([one]);
  });
});
