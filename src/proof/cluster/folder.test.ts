/** The folder of a run: only our own is replaced, and what it holds at the end. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TaskDocument } from "../../model/task.ts";
import { combineLogs, prepareFolder, taskLines } from "./folder.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "outlast-folder-"));
});
afterEach(() => {
  rmSync(place, { recursive: true });
});

const marker = { command: "demo", seed: 1, startedAt: 0, pid: null };

describe("the folder", () => {
  test("is made, and made again over an earlier run", async () => {
    const directory = join(place, "demo-run");
    await prepareFolder(directory, marker);
    writeFileSync(join(directory, "report.md"), "old");
    await prepareFolder(directory, marker);
    expect(existsSync(join(directory, "report.md"))).toBe(false);
  });

  test("is left alone if it contains anything that no run created", async () => {
    writeFileSync(join(place, "thesis.txt"), "years of work");
    await expect(prepareFolder(place, marker)).rejects.toThrow("contains files that no earlier run created");
    expect(existsSync(join(place, "thesis.txt"))).toBe(true);
  });

  test("is left alone while another run writes into it", async () => {
    const directory = join(place, "demo-run");
    await prepareFolder(directory, { ...marker, pid: process.pid });
    await expect(prepareFolder(directory, marker)).rejects.toThrow("Another run is writing");
  });
});

test("tasks.txt has one document a line, in the order of the numbers", () => {
  const task = { state: "success", host: "worker-1", attempt: 1, kills: 0, createdAt: 1, startedAt: 2, endedAt: 3 };
  const documents = ["task-10", "task-9"].map(
    (id) => ({ ...task, id, name: id, input: { seconds: 0.5 } }) as unknown as TaskDocument,
  );
  const lines = taskLines(documents).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).taskname)).toEqual(["task-9", "task-10"]);
  expect(JSON.parse(lines[0]!)).toEqual({
    taskname: "task-9",
    sleeptime: 0.5,
    state: "success",
    host: "worker-1",
    attempt: 1,
    kills: 0,
    createdAt: 1,
    startedAt: 2,
    endedAt: 3,
  });
});

test("the combined log stands in the order of time; a torn line stays where it was", () => {
  const line = (time: number, msg: string) => JSON.stringify({ level: "info", time, name: "x", msg });
  const text = combineLogs([
    { process: "master", text: `${line(1, "one")}\n${line(4, "four")}\n` },
    { process: "worker-1", text: `${line(2, "two")}\n{"torn\n${line(3, "three")}\n` },
  ]);
  const order = text.trimEnd().split("\n");
  expect(order.map((shown) => /one|two|torn|three|four/.exec(shown)?.[0])).toEqual([
    "one",
    "two",
    "torn",
    "three",
    "four",
  ]);
  expect(order[0]).toContain("master");
  expect(order[1]).toContain("worker-1");
});
