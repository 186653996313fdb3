/** What `outlast map-reduce -c` takes for the name of a corpus. */
import { expect, test } from "vitest";
import { UsageError } from "../failure.ts";
import type { Output } from "../output.ts";
import { resolveCorpora } from "./corpus.ts";

const output = { note: () => {} } as unknown as Output;

test("a corpus of a size that is not made is refused, and a file of such a name is named by its path", async () => {
  const refused = resolveCorpora(["texts", "1gb"], output);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
  await expect(refused).rejects.toMatchObject({
    message: "There is no corpus 1gb.",
    hint: "There are 25mb and 250mb, made on first use. A file of this name: ./1gb",
  });
  const paths = ["./1gb", "toString", "logs/1gb", "s3://bucket/1gb"];
  expect(await resolveCorpora(paths, output)).toEqual(paths);
});
