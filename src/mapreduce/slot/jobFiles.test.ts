/** Files of jobs in a folder do what those in every place do. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { jobStoreContract } from "../../proof/contracts/jobStoreContract.ts";
import { JobFiles } from "./jobFiles.ts";

test("an output folder that cannot be made is told", async () => {
  await expect(new JobFiles("/proc/none/words", "job").open()).rejects.toThrow(/ENOENT.*\/proc\/none/);
});

jobStoreContract("a folder", async () => {
  const output = mkdtempSync(join(tmpdir(), "outlast-promotion-"));
  const pathOf = (job: string, name: string) => join(output, "_temporary", job, name);
  return {
    handle: (job) => new JobFiles(output, job),
    names: async () =>
      readdirSync(output, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(output, join(entry.parentPath, entry.name))),
    readOutput: async (name) => readFileSync(join(output, name), "utf8"),
    writeOutput: async (name, text) => writeFileSync(join(output, name), text),
    spoil: async (job, name, how) => (how === "remove" ? unlinkSync : truncateSync)(pathOf(job, name)),
    remove: async () => {
      if (existsSync(output)) rmSync(output, { recursive: true });
    },
  };
});
