/** Skipped records are gathered up to their bounds, and what is lost of them is no failure. */
import { mkdtempSync, readFileSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import type { MapManifest } from "../coordinator/settings.ts";
import { gatherSkipped, SkippedWriter } from "../coordinator/skippedRecords.ts";
import { JobFiles } from "./jobFiles.ts";

let folder = "";
let store: JobFiles;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "outlast-skipped-"));
  store = new JobFiles(folder, "job");
  await store.open();
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = (offset: number, text = "x") => ({ path: "in", offset, bytes: 1, reason: "odd", text });

/** What a map leaves that has skipped these. */
async function mapOf(map: number, records: readonly ReturnType<typeof record>[]): Promise<MapManifest> {
  const writer = new SkippedWriter(store, `job/skipped-${map}`);
  for (const each of records) writer.add(each);
  const skippedFile = await writer.end();
  return { map, ...(skippedFile !== null && { skippedFile }) } as unknown as MapManifest;
}

async function gathered(maps: readonly MapManifest[]) {
  const logged: string[] = [];
  const file = await gatherSkipped(store, maps, (text) => void logged.push(text));
  const lines = file === null ? [] : readFileSync(store.pathOf(file.name), "utf8").split("\n").slice(0, -1);
  return { file, logged, offsets: lines.map((line) => (JSON.parse(line) as { offset: number }).offset) };
}

test("they come in the order of maps; a map that skips nothing writes nothing", async () => {
  const maps = [await mapOf(0, [record(1), record(2)]), await mapOf(1, []), await mapOf(2, [record(3)])];
  expect(maps[1]).not.toHaveProperty("skippedFile");
  expect(await gathered(maps)).toMatchObject({ file: { records: 3 }, offsets: [1, 2, 3], logged: [] });
});

test("a file that is lost is told of, and the others are kept", async () => {
  const maps = [await mapOf(0, [record(1)]), await mapOf(1, [record(2)])];
  unlinkSync(store.pathOf(maps[0]?.skippedFile?.name ?? ""));
  const { offsets, logged } = await gathered(maps);
  expect(offsets).toEqual([2]);
  expect(logged).toEqual(["The records that map 0 has skipped are counted, but no longer there."]);
  expect((await gathered(maps.slice(0, 1))).file).toBeNull();
});

test("a map and a job keep no more than their bounds", async () => {
  const text = "x".repeat(limits.jobSkippedRecordBytesMax);
  const many = Array.from({ length: 300 }, (_, offset) => record(offset, text));
  const full = await mapOf(0, many);
  expect(full.skippedFile?.size).toBeLessThanOrEqual(limits.jobMapSkippedBytesMax);
  expect(full.skippedFile?.size).toBeGreaterThan(limits.jobMapSkippedBytesMax - 2 * text.length);
  const { file } = await gathered(Array.from({ length: 20 }, () => full));
  expect(file?.size).toBeLessThanOrEqual(limits.jobSkippedBytesMax);
  expect(file?.size).toBeGreaterThan(limits.jobSkippedBytesMax - 2 * text.length);
});
