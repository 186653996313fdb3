/** Folders are made one below the other; where none can be made, that is said. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolders } from "./makeFolders.ts";

const folder = mkdtempSync(join(tmpdir(), "outlast-folders-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("all that are missing are made, for whom they are for, also by several at once", async () => {
  const path = join(folder, "a", "b", "c");
  await Promise.all([makeFolders(path, 0o700), makeFolders(path, 0o700)]);
  for (const made of [path, join(folder, "a")]) expect(statSync(made).mode & 0o777).toBe(0o700);
  await makeFolders(path);
});

test("a file in the way is told of", async () => {
  writeFileSync(join(folder, "file"), "");
  await expect(makeFolders(join(folder, "file", "below"))).rejects.toMatchObject({ code: "ENOTDIR" });
});

test.runIf(process.platform === "linux")("a place where none can be made is told of at once", async () => {
  await expect(makeFolders("/proc/none/below")).rejects.toMatchObject({ code: "ENOENT" });
});
