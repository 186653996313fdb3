/** Where JSON names blobs. */
import { expect, test } from "vitest";
import { blobsNamedIn, sha256Of, toBlobReference } from "./blob.ts";

const one = "1".repeat(64);
const two = "2".repeat(64);

test("references are found wherever they stand as a whole text, each once", () => {
  const value = {
    a: toBlobReference(one),
    b: [{ c: toBlobReference(two) }, toBlobReference(one)],
    [`sha256:${one}`]: 1,
  };
  expect(blobsNamedIn(value)).toEqual([one, two]);
  for (const other of [null, 1, "", one, `sha256:${one} `, `SHA256:${one}`, `sha256:${one.slice(1)}g`]) {
    expect(blobsNamedIn(other)).toEqual([]);
  }
  expect(sha256Of(toBlobReference(one))).toBe(one);
});
