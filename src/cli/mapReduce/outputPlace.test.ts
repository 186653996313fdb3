/** Where the output of a job is looked for: a folder that is not there is elsewhere, a file that is not there is lost. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OutputElsewhere, outputPlace } from "./outputPlace.ts";

test("a folder that this machine does not have is told from a file that is missing in it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-output-"));
  try {
    const read = async (where: string) => {
      const place = await outputPlace(where);
      return Array.fromAsync(place.read("_manifest.json"));
    };
    await expect(read(join(folder, "on-the-workers"))).rejects.toBeInstanceOf(OutputElsewhere);
    await expect(read(folder)).rejects.toMatchObject({ code: "ENOENT" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
