/** What the checker of blobs must accept. */
import { expect, test } from "vitest";
import { blobsKept } from "../../src/proof/checkers/blobsKept.ts";
import { goodBlobs } from "./blobLies.ts";

test.each(Object.entries(goodBlobs))("a blob may go that %s", (_, made) => {
  expect(blobsKept.check(made().build())).toEqual([]);
});
