/** What every place for the files of a MapReduce job must do. The test file of each runs this on it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { promote } from "../../mapreduce/coordinator/promote.ts";
import type { PartManifest } from "../../mapreduce/coordinator/settings.ts";
import { type JobStore, writeText } from "../../mapreduce/coordinator/store.ts";
import { DamagedSegment } from "../../mapreduce/engine/segment.ts";

/** An output, and the files of jobs that write to it. */
export interface JobPlace {
  /** The same files, as another process has them. */
  handle(job: string): JobStore;
  /** What is below the output, with `/` between folder and name. */
  names(): Promise<readonly string[]>;
  readOutput(name: string): Promise<string>;
  /** As somebody else does it. */
  writeOutput(name: string, text: string): Promise<void>;
  /** Does away with a file of a job, or damages it. */
  spoil(job: string, name: string, how: "remove" | "cut"): Promise<void>;
  remove(): Promise<void>;
}

export function jobStoreContract(kind: string, makePlace: () => Promise<JobPlace>): void {
  describe(`files of a job: ${kind}`, () => {
    let place: JobPlace;
    let store: JobStore;

    beforeEach(async () => {
      place = await makePlace();
      store = place.handle("job");
      await store.open();
    });
    afterEach(() => place.remove());

    async function part(partition: number, text: string): Promise<PartManifest> {
      const file = await writeText(store, `reduce/${partition}`, text);
      return { partition, records: 1, keys: 1, shuffledBytes: 0, counters: {}, ...file };
    }
    const planOf = (attempt: number, parts: readonly PartManifest[], overwrite = false) =>
      ({ attempt, format: "tsv", overwrite, parts, summary: { job: "job" } }) as const;
    const output = async () => (await place.names()).filter((name) => !name.startsWith("_temporary/")).sort();
    const ofJobs = async () => (await place.names()).filter((name) => name.startsWith("_temporary/"));

    test("a file is read as it was written, whole and in parts, by whoever knows its name", async () => {
      const text = "0123456789".repeat(20_000);
      const file = await writeText(store, "map/00001", text, ".bin");
      expect(file).toMatchObject({ name: expect.stringMatching(/^map\/00001-.+\.bin$/) as string, size: text.length });
      const other = place.handle("job");
      expect(await other.text(file)).toBe(text);
      const reader = await other.read(file);
      for (const [offset, length] of [
        [0, 5],
        [7, 100_000],
        [text.length - 3, 3],
        [text.length - 3, 10],
        [text.length, 5],
      ] as const) {
        expect(String(await reader.readAt(offset, length))).toBe(text.slice(offset, offset + length));
      }
      reader.close();
      expect(await other.text(await writeText(store, "job/empty", ""))).toBe("");
    });

    test("two files of one beginning are two, and one that is given up leaves nothing", async () => {
      const [one, other] = [await writeText(store, "map/1", "one"), await writeText(store, "map/1", "other")];
      expect([await store.text(one), await store.text(other)]).toEqual(["one", "other"]);
      const before = await ofJobs();
      const given = store.create("map/2");
      given.write(Buffer.from("x"));
      given.abandon();
      expect(await ofJobs()).toEqual(before);
    });

    test.each(["remove", "cut"] as const)("a file that is spoilt is lost, and nothing else: %s", async (how) => {
      const file = await writeText(store, "map/1", "a text");
      const whole = await writeText(store, "map/2", "whole");
      await place.spoil("job", file.name, how);
      await expect(store.text(file)).rejects.toThrow(DamagedSegment);
      await expect(store.read(file)).rejects.toThrow(DamagedSegment);
      expect(await store.text(whole)).toBe("whole");
    });

    test("an output is promoted as often as one likes, and is the same", async () => {
      const parts = [await part(0, "a\t1\n"), await part(1, "b\t2\n"), await part(2, "")];
      await promote(store, planOf(1, parts));
      await promote(store, planOf(1, parts));
      await promote(store, planOf(2, parts));
      await store.remove();
      const names = ["_SUCCESS", "_manifest.json", "part-00000.tsv", "part-00001.tsv", "part-00002.tsv"];
      expect(await output()).toEqual(names);
      expect(await ofJobs()).toEqual([]);
      expect(await place.readOutput("part-00001.tsv")).toBe("b\t2\n");
      expect(await place.readOutput("part-00002.tsv")).toBe("");
      expect(JSON.parse(await place.readOutput("_manifest.json"))).toMatchObject({
        parts: [{ name: "part-00000.tsv" }, { size: 4 }, { size: 0 }],
      });
    });

    test("an output in another format is not joined", async () => {
      await place.writeOutput("part-00000.jsonl", "theirs");
      const parts = [await part(0, "a\t1\n")];
      await expect(promote(store, planOf(1, parts))).rejects.toThrow("part-00000.jsonl of the output was written by");
      expect(await output()).toEqual(["part-00000.jsonl"]);
    });

    test("what somebody else has written is not replaced, unless that is wanted", async () => {
      for (const name of ["part-00000.tsv", "part-00007.tsv", "_SUCCESS"]) await place.writeOutput(name, "theirs");
      const parts = [await part(0, "a\t1\n")];
      await expect(promote(store, planOf(1, parts))).rejects.toThrow(/part-0000[07]\.tsv of the output was written by/);
      expect(await place.readOutput("part-00000.tsv")).toBe("theirs");
      await promote(store, planOf(2, parts, true));
      await store.remove();
      expect(await output()).toEqual(["_SUCCESS", "_manifest.json", "part-00000.tsv"]);
      expect(await place.readOutput("part-00000.tsv")).toBe("a\t1\n");
    });

    test("skipped records are one more file of the output, and those of an output before go with it", async () => {
      const parts = [await part(0, "a\t1\n")];
      const skippedFile = await writeText(store, "job/skipped", "{}\n");
      await promote(store, { ...planOf(1, parts), skippedFile });
      await promote(store, { ...planOf(2, parts), skippedFile });
      expect(await output()).toEqual(["_SUCCESS", "_manifest.json", "_skipped.jsonl", "part-00000.tsv"]);
      expect(await place.readOutput("_skipped.jsonl")).toBe("{}\n");
      await store.remove();
      store = place.handle("other");
      await store.open();
      const others = [await part(0, "b\t1\n")];
      await expect(promote(store, planOf(1, others))).rejects.toThrow("part-00000.tsv");
      await promote(store, planOf(2, others, true));
      expect(await output()).toEqual(["_SUCCESS", "_manifest.json", "part-00000.tsv"]);
    });

    test("an earlier attempt changes nothing once a later one promotes, whatever it was about to do", async () => {
      const parts = [await part(0, "a\t1\n")];
      const earlier = await store.promotion(1);
      await promote(store, planOf(2, parts, true));
      const late = await writeText(store, "job/manifest", "late");
      await expect(earlier.retract("_SUCCESS")).rejects.toThrow();
      await expect(earlier.replace(late, "_manifest.json")).rejects.toThrow();
      await expect(earlier.link(late, "part-00009.tsv")).rejects.toThrow();
      await expect(store.promotion(1)).rejects.toThrow("Attempt 2");
      expect(await output()).toEqual(["_SUCCESS", "_manifest.json", "part-00000.tsv"]);
    });

    test("an attempt from before a job was begun from scratch changes nothing", async () => {
      const file = await part(0, "a\t1\n");
      const late = await store.promotion(1);
      await store.remove();
      await store.open();
      const again = await part(0, "b\t2\n");
      await expect(late.link(again, "part-00000.tsv")).rejects.toThrow();
      await expect(late.replace(file, "part-00000.tsv")).rejects.toThrow();
      expect(await output()).toEqual([]);
      await promote(store, planOf(2, [again]));
      expect(await place.readOutput("part-00000.tsv")).toBe("b\t2\n");
    });

    test("nothing of a job changes the output once its files are removed, also if another job has the folder by then", async () => {
      const late = await store.promotion(1);
      const parts = [await part(0, "a\t1\n")];
      await promote(store, planOf(1, parts, true));
      await store.remove();
      const other = place.handle("other");
      await other.open();
      await expect(late.retract("_SUCCESS")).rejects.toThrow();
      await expect(late.replace(parts[0] as PartManifest, "_manifest.json")).rejects.toThrow();
      await expect(writeText(store, "map/late", "late")).rejects.toThrow(/is over|has the job ended/);
      await expect(store.promotion(2)).rejects.toThrow();
      await expect(promote(store, planOf(1, parts, true))).rejects.toThrow();
      expect(await place.readOutput("_SUCCESS")).toMatch(/^[0-9a-f]{64}\n$/);
      expect((await ofJobs()).filter((name) => name.startsWith("_temporary/job/"))).toEqual([]);
    });
  });
}
