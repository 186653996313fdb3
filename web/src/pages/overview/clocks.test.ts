/** What the first page concludes from instants of masters, workers and this browser. */
import { expect, test } from "vitest";
import { ofMasterClocks, ofThisClock, ofWorkerClocks } from "./clocks.ts";

const clock = (clockOffsetMs: number) => ({
  address: "http://m1",
  role: "leader" as const,
  now: 1_000_000,
  clockOffsetMs,
});
const texts = (problems: readonly { readonly text: string }[]) => problems.map(({ text }) => text);

test("a master that counts time by another clock than its machine's is told of", () => {
  expect(ofMasterClocks([clock(0), clock(-1_999)])).toEqual([]);
  expect(texts(ofMasterClocks([clock(3_600_000)]))).toEqual([
    "The leader at http://m1 counts time 1 h ahead of its machine's wall clock.",
  ]);
});

test("a browser is compared with the wall clock of the master's machine", () => {
  expect(ofThisClock(clock(0), 1_001_000)).toEqual([]);
  expect(ofThisClock(clock(60_000), 940_000)).toEqual([]);
  expect(texts(ofThisClock(clock(0), 940_000))).toEqual([expect.stringContaining("is 1 m behind the master's")]);
});

test("a worker whose attempts began before they were assigned, or after their end, is told of", () => {
  const task = (host: string, startedAt: number, state: "success" | "running" = "success") => {
    return { host, state, assignedAt: 900_000, startedAt, changedAt: 910_000 };
  };
  const tasks = [
    task("fine", 900_050),
    task("late", 870_000),
    task("early", 970_000),
    task("runs", 970_000, "running"),
  ];
  expect(texts(ofWorkerClocks(tasks))).toEqual([
    expect.stringContaining("worker late is behind its master's by at least 30 s"),
    expect.stringContaining("worker early is ahead of its master's by at least 1 m"),
  ]);
});
