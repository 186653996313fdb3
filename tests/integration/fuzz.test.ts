/** A short stretch of fuzzing against a real master, the same in every run; `npm run fuzz` goes on for as long as it is told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTarget } from "../../scripts/fuzzTarget.ts";
import { Campaign } from "../../src/proof/fuzz/campaign.ts";

const minute = 60_000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outlast-fuzz-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a master withstands what nobody should send it, and honest work goes on", { timeout: 5 * minute }, async () => {
  const target = await startTarget({ directory: folder, hasToken: true, isStandby: false });
  const campaign = new Campaign({
    ...{ target, seed: 1, from: 0, casesMax: 300, msMax: 3 * minute, refusals: 100, sieges: [], isOverAtFirst: false },
    onProgress: () => {},
  });
  const report = await campaign.run();
  expect(report.findings).toEqual([]);
  expect(report.cases).toBe(300);
  expect(report.refusals).toBeGreaterThan(50);
  expect(report.honest).toBeGreaterThan(5);
  // A generator that never gets past the door proves nothing.
  const reached = [...report.answers].filter(([, statuses]) => [...statuses.keys()].some((status) => status < 300));
  const refused = [...report.answers].filter(([, statuses]) => [...statuses.keys()].some((status) => status >= 400));
  expect(reached.length).toBeGreaterThan(20);
  expect(refused.length).toBeGreaterThan(15);
});
