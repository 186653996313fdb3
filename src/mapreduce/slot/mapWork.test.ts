/** A map reads its files one after the other. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { doMap } from "../coordinator/mapWork.ts";
import type { PlannedFile } from "../coordinator/settings.ts";
import { settingsOf } from "../coordinator/settings.ts";
import { Cursor } from "../engine/cursor.ts";
import { KeyTable } from "../engine/keyTable.ts";
import { lines, mapReduce, tsv } from "../job.ts";
import { JobFiles } from "./jobFiles.ts";

const job = mapReduce({
  name: "lengths",
  input: lines("unused"),
  map(line: string, emit: (key: string, value: number) => void, ctx) {
    if (line === "bad") ctx.skip("bad");
    else emit(line, 1);
  },
  combine: "sum",
  output: tsv("unused"),
});

test("of its files one is open at a time, and none at its end, whatever that is", async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-map-"));
  try {
    const store = new JobFiles(folder, "job");
    await store.open();
    const code = { name: "code", size: 0, sha256: "" };
    const settings = settingsOf(
      "job",
      {
        ...{ code: { sha256: "", text: "" }, job: "lengths", reduces: 1, partition: "hash" },
        input: { format: "lines", paths: ["unused"] },
        output: { format: "tsv", folder },
      },
      { code, boundaries: [] },
    );
    let open = 0;
    let most = 0;
    const openFile = async ({ path }: PlannedFile) => {
      open += 1;
      most = Math.max(most, open);
      const close = async () => void (open -= 1);
      return { read: (target: Buffer, position: number) => Buffer.from(path).copy(target, 0, position), close };
    };
    const parts = { settings, job, cursor: new Cursor(), table: new KeyTable(), open: openFile };
    const work = (paths: readonly string[]) => ({
      ...{ map: 0, poison: [] },
      ranges: paths.map((path) => ({ file: { path, size: path.length, version: "1" }, start: 0, end: path.length })),
    });
    expect(await doMap(parts, store, work(["a", "b", "a"]))).toMatchObject({ records: 3, pairs: 2 });
    await expect(doMap(parts, store, work(["a", "bad", "a"]))).rejects.toThrow("bad");
    expect([open, most]).toEqual([0, 1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
