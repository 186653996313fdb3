/** What the page of a MapReduce job makes of its children. */
import { expect, test } from "vitest";
import type { StepPage, Task } from "../../api/schema.ts";
import { jobProgress } from "./job.ts";

const job = { kind: "map-reduce", state: "waiting", input: { reduces: 2 } } as unknown as Task;
const child = (name: string, state: string, more: object = {}) =>
  ({
    ...{ id: `${name} ${state}`, name, state, failures: 0, kills: 0, createdAt: 1 },
    kind: name.startsWith("map") ? "map-reduce.map" : "map-reduce.reduce",
    ...more,
  }) as unknown as Task;
const step = (key: string, value: unknown) => ({ key, step: { value } }) as StepPage["steps"][number];
const planned = [step("started", 10), step("plan", { maps: 3, bytes: 600, files: 2 })];
const mapped = [...planned, step("mapped", 50)];

test("a job without a plan is planning", () => {
  expect(jobProgress(job, [step("started", 10)], [])).toMatchObject({ phase: "planning", plan: null, startedAt: 10 });
});

test("maps add up to bytes and records, those that run by their progress", () => {
  const children = [
    child("map 0", "success", {
      output: { bytes: 200, records: 20, skipped: 1, size: 30 },
      ...{ kills: 1, backup: { id: "b0", isWinner: true } },
    }),
    child("map 1", "running", {
      progress: { done: 50, total: 200, text: "7 records, 2 skipped" },
      ...{ failures: 1, backup: { id: "b1" } },
    }),
    child("map 2", "created"),
  ];
  const progress = jobProgress(job, planned, children);
  expect(progress).toMatchObject({ phase: "mapping", plan: { maps: 3, bytes: 600 } });
  expect(progress.maps.map(({ share }) => share)).toEqual([1, 0.25, 0]);
  expect(progress.mapSums).toEqual({
    ...{ done: 1, running: 1, bytes: 250, records: 27, shuffledBytes: 30 },
    ...{ skipped: 3, failures: 1, kills: 1, reruns: 0, backups: 2, byBackup: 1 },
  });
});

test("a map that ran again counts once, by its latest run", () => {
  const output = { bytes: 200, records: 20, skipped: 0, size: 30 };
  const children = [
    child("map 0", "success", { output }),
    child("reduce 1", "success", { output: { lost: [0], reason: "it is gone" } }),
    child("map 0", "running", { createdAt: 2, progress: { done: 20, total: 200, text: "2 records" } }),
  ];
  const { phase, maps, mapSums } = jobProgress(job, mapped, children);
  expect([phase, maps.length, maps[0]?.reruns, mapSums.records]).toEqual(["reducing", 1, 1, 2]);
});

test("a job commits once every part is there, and tells how uneven they are", () => {
  const part = (size: number) => ({ output: { part: { size, records: size / 10, shuffledBytes: 5 } } });
  const children = [child("reduce 0", "success", part(300)), child("reduce 1", "success", part(100))];
  const { phase, reduceSums, skew } = jobProgress(job, mapped, children);
  expect([phase, skew]).toEqual(["committing", 1.5]);
  expect(reduceSums).toMatchObject({ bytes: 400, records: 40, shuffledBytes: 10 });
  expect(jobProgress(job, mapped, children).largestKey).toBeNull();
  const ended = { ...job, output: { maxKey: "the", maxKeyShare: 0.4 } } as unknown as Task;
  expect(jobProgress(ended, mapped, children).largestKey).toEqual({ key: "the", share: 0.4 });
  const missed = child("reduce 1", "success", { output: { lost: [0], reason: "it is gone" } });
  expect(jobProgress(job, mapped, [children[0] as Task, missed]).phase).toBe("reducing");
});

test("a job that did not succeed stays in the phase that it had come to", () => {
  const failed = { ...job, state: "failed", endedAt: 90 } as unknown as Task;
  expect(jobProgress(failed, planned, [])).toMatchObject({ phase: "mapping", endedAt: 90 });
  expect(jobProgress({ ...failed, state: "cancelled" }, mapped, []).phase).toBe("reducing");
  expect(jobProgress({ ...failed, state: "success" }, mapped, []).phase).toBe("over");
  expect(jobProgress(job, mapped, []).endedAt).toBeNull();
});
