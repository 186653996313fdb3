/** The bounds of the back-off, and the spread of its jitter. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { hashToUnit } from "../model/hash.ts";
import type { TaskId } from "../model/ids.ts";
import { retryDelayMs } from "./backoff.ts";

const limits = {
  attemptsMax: 99,
  killsMax: null,
  timeoutMs: null,
  backoffBaseMs: 1000,
  backoffFactor: 2,
  backoffMaxMs: 60_000,
};

test("lies between half and the whole of the exponential delay, never above its maximum", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 2000 }), (id, failures) => {
      const fullMs = Math.min(60_000, 1000 * 2 ** (failures - 1));
      const delayMs = retryDelayMs(id as TaskId, failures, failures, limits);
      expect(delayMs).toBeGreaterThanOrEqual(fullMs / 2);
      expect(delayMs).toBeLessThanOrEqual(fullMs);
    }),
  );
});

test("is the same for the same attempt, and spread evenly over many", () => {
  expect(retryDelayMs("a" as TaskId, 1, 1, limits)).toBe(retryDelayMs("a" as TaskId, 1, 1, limits));
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let index = 0; index < 10_000; index += 1) {
    const bucket = Math.floor(hashToUnit(`task-${index}/1`) * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
