/** What is told of masters and workers. */
import { expect, test } from "vitest";
import type { Mark } from "../../api/schema.ts";
import { lastDeaths, latelyOf, markText } from "./lately.ts";

const attached = (at: number, worker: string): Mark => ({ at, kind: "attached", worker });

test("a worker whose process died unseen and came back is told as such, with what it lost", () => {
  expect(markText({ ...attached(1, "w2"), wasRestarted: true, attemptsLost: 4 } as Mark)).toBe(
    "w2 died and was started anew; 4 attempts were lost",
  );
  expect(markText({ at: 1, kind: "lost", worker: "w1", attemptsLost: 1 })).toBe("w1 was lost; 1 attempt was lost");
  expect(markText(attached(1, "w1"))).toBe("w1 attached");
});

test("those who attach after a restart do not push out the deaths", () => {
  const lost: Mark = { at: 1, kind: "lost", worker: "w1" };
  const back = Array.from({ length: 20 }, (_, index) => attached(10 + index, `w${index}`));
  const told = latelyOf([attached(0, "w0"), lost, ...back], 8);
  expect(told.map(({ at }) => at)).toEqual([29, 28, 27, 26, 25, 24, 23, 1]);
  expect(
    latelyOf([{ ...lost }, { ...lost }, { ...lost }, { ...lost }, ...back], 8).filter(({ kind }) => kind === "lost"),
  ).toHaveLength(3);
});

test("of each worker the last death is known", () => {
  const again = { ...attached(9, "w1"), wasRestarted: true } as Mark;
  const deaths = lastDeaths([{ at: 1, kind: "lost", worker: "w1" }, attached(2, "w1"), again]);
  expect([...deaths]).toEqual([["w1", again]]);
});
