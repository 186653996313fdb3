/** What a submission makes of a module and what is said besides. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareMapReduce } from "./submit.ts";

const folder = mkdtempSync(join(tmpdir(), "outlast-submit-"));
const module = join(folder, "copy.ts");

beforeAll(() => {
  writeFileSync(
    module,
    `import { lines, mapReduce, tsv } from "outlast/mapreduce";
export const copy = mapReduce({
  name: "copy",
  input: lines("in.txt"),
  map: (line, emit) => emit(line, 1),
  combine: "sum",
  output: tsv("out"),
});
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["s3://bucket/out", "s3://bucket/out"],
  ["s3://bucket/out//", "s3://bucket/out"],
  ["/data/out/", "/data/out"],
  ["/", "/"],
])("the output %s has one name, by which two jobs that write to it are told", async (output, place) => {
  expect((await prepareMapReduce(module, { output })).input.output.folder).toBe(place);
});
