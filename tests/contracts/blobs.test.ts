/** Every driver of the blobs port passes the same suite; those that need a server have a file of their own. */
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DirectoryBlobs } from "../../src/blobs/directory/blobs.ts";
import { MemoryBlobs } from "../../src/blobs/memory/blobs.ts";
import { blobsContract } from "../../src/proof/contracts/blobsContract.ts";

blobsContract("memory", async () => {
  const blobs = new MemoryBlobs();
  return { handle: () => blobs, remove: async () => {} };
});

blobsContract("directory", async () => {
  const path = await mkdtemp(join(tmpdir(), "outlast-blobs-"));
  return {
    handle: () => new DirectoryBlobs({ path, isShared: false }),
    remove: () => rm(path, { recursive: true }),
  };
});

test("directory: uploads that a dead process left are removed once they are old", async () => {
  const path = await mkdtemp(join(tmpdir(), "outlast-blobs-"));
  const blobs = new DirectoryBlobs({ path, isShared: false });
  await blobs.open();
  await writeFile(join(path, "uploading", "old"), "x");
  await writeFile(join(path, "uploading", "young"), "x");
  await utimes(join(path, "uploading", "old"), new Date(0), new Date(0));
  await blobs.open();
  expect(await readdir(join(path, "uploading"))).toEqual(["young"]);
  await rm(path, { recursive: true });
});

test("directory: a place that is a file is refused with a reason", async () => {
  const folder = await mkdtemp(join(tmpdir(), "outlast-blobs-"));
  await writeFile(join(folder, "file"), "");
  const blobs = new DirectoryBlobs({ path: join(folder, "file"), isShared: false });
  await expect(blobs.open()).rejects.toMatchObject({ name: "BlobsUnavailable", reason: "io" });
  await rm(folder, { recursive: true });
});
