/** What an attempt of a job that was given up can still do to the output: nothing. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { promote } from "../coordinator/promote.ts";
import type { PartManifest } from "../coordinator/settings.ts";
import { writeText } from "../coordinator/store.ts";
import { JobFiles } from "./jobFiles.ts";

let output = "";
let files: JobFiles;

beforeEach(async () => {
  output = mkdtempSync(join(tmpdir(), "outlast-promotion-"));
  files = new JobFiles(output, "job");
  await files.open();
});

afterEach(() => rmSync(output, { recursive: true }));

function part(partition: number, text: string): PartManifest {
  const file = writeText(files, `reduce/${partition}`, text);
  return { partition, records: 1, keys: 1, shuffledBytes: 0, counters: {}, ...file };
}

const planOf = (attempt: number, parts: readonly PartManifest[], overwrite = false) =>
  ({ attempt, format: "tsv", overwrite, parts, summary: { job: "job" } }) as const;

const read = (name: string) => readFileSync(join(output, name), "utf8");

test("an output is promoted as often as one likes, and is the same", async () => {
  const parts = [part(0, "a\t1\n"), part(1, "b\t2\n")];
  await promote(files, planOf(1, parts));
  await promote(files, planOf(1, parts));
  await promote(files, planOf(2, parts));
  await files.remove();
  expect(readdirSync(output).sort()).toEqual(["_SUCCESS", "_manifest.json", "part-00000.tsv", "part-00001.tsv"]);
  expect(read("part-00001.tsv")).toBe("b\t2\n");
  expect(JSON.parse(read("_manifest.json"))).toMatchObject({ parts: [{ name: "part-00000.tsv" }, { size: 4 }] });
});

test("what somebody else has written is not replaced, unless that is wanted", async () => {
  for (const name of ["part-00000.tsv", "part-00007.tsv", "_SUCCESS"]) writeFileSync(join(output, name), "theirs");
  const parts = [part(0, "a\t1\n")];
  await expect(promote(files, planOf(1, parts))).rejects.toThrow("part-00000.tsv");
  expect(read("part-00000.tsv")).toBe("theirs");
  await promote(files, planOf(2, parts, true));
  await files.remove();
  expect(readdirSync(output).sort()).toEqual(["_SUCCESS", "_manifest.json", "part-00000.tsv"]);
  expect(read("part-00000.tsv")).toBe("a\t1\n");
});

test("an earlier attempt changes nothing once a later one promotes, whatever it was about to do", async () => {
  const parts = [part(0, "a\t1\n")];
  const earlier = await files.promotion(1);
  await promote(files, planOf(2, parts, true));
  const late = writeText(files, "job/manifest", "late");
  await expect(earlier.retract("_SUCCESS")).rejects.toThrow();
  await expect(earlier.replace(late, "_manifest.json")).rejects.toThrow();
  await expect(earlier.link(late, "part-00009.tsv")).rejects.toThrow();
  await expect(files.promotion(1)).rejects.toThrow("Attempt 2");
  expect(readdirSync(output).sort()).toEqual(["_SUCCESS", "_manifest.json", "_temporary", "part-00000.tsv"]);
});

test("nothing of a job changes the output once its files are removed, also if another job has the folder by then", async () => {
  const late = await files.promotion(1);
  const parts = [part(0, "a\t1\n")];
  await promote(files, planOf(1, parts, true));
  await files.remove();
  const other = new JobFiles(output, "other");
  await other.open();
  await expect(late.retract("_SUCCESS")).rejects.toThrow();
  await expect(late.replace(parts[0] as PartManifest, "_manifest.json")).rejects.toThrow();
  expect(() => files.create("map/late")).toThrow("has the job ended");
  await expect(promote(files, planOf(1, parts, true))).rejects.toThrow();
  expect(read("_SUCCESS")).toBe("");
  expect(existsSync(join(output, "_temporary", "job"))).toBe(false);
});
