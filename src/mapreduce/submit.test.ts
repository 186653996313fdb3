/** What a submission makes of a module and what is said besides. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { prepareMapReduce } from "./submit.ts";

const example = join(import.meta.dirname, "../../examples/map-reduce/wordcount.ts");

test.each([
  ["s3://bucket/out", "s3://bucket/out"],
  ["s3://bucket/out//", "s3://bucket/out"],
  ["/data/out/", "/data/out"],
  ["/", "/"],
])("the output %s has one name, by which two jobs that write to it are told", async (output, folder) => {
  expect((await prepareMapReduce(example, { output })).input.output.folder).toBe(folder);
});
