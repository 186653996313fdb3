/** The folder of an attempt on a real disk: what commands may leave in it, hostile things included. */
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { AttemptFolder } from "./attemptFolder.ts";

let parent: string;
let folder: AttemptFolder;

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), "outlast-attempts-"));
  folder = await AttemptFolder.make(parent);
});
afterEach(() => rmSync(parent, { recursive: true }));

async function* text(...pieces: string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function read(path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of folder.read(path)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function leave(path: string, content = "x"): void {
  mkdirSync(join(folder.files, path, ".."), { recursive: true });
  writeFileSync(join(folder.files, path), content);
}

test("files are put in, also below folders, and never twice", async () => {
  await folder.put("in/deep/data.csv", text("one", "two"));
  expect(readFileSync(join(folder.files, "in/deep/data.csv"), "utf8")).toBe("onetwo");
  await expect(folder.put("in/deep/data.csv", text("x"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(folder.put("../escaped", text("x"))).rejects.toMatchObject({ code: "invalid-input" });
});

test("artifacts are found by their patterns, in order, and read whole", async () => {
  for (const path of ["out/b", "out/a/deep", "out/.hidden", "log.txt", "other"]) leave(path, path);
  expect(await folder.find(["out/**", "*.txt"])).toEqual([
    { path: "log.txt", size: 7 },
    { path: "out/.hidden", size: 11 },
    { path: "out/a/deep", size: 10 },
    { path: "out/b", size: 5 },
  ]);
  expect(await read("out/a/deep")).toBe("out/a/deep");
  expect(await folder.find(["nothing/**"])).toEqual([]);
});

test("a link is no artifact, whatever it leads to", async () => {
  symlinkSync("/etc/passwd", join(folder.files, "secret"));
  await expect(folder.find(["**"])).rejects.toMatchObject({
    code: "artifacts",
    message: expect.stringContaining("link"),
  });
  await expect(read("secret")).rejects.toMatchObject({ code: "artifacts", message: expect.stringContaining("ELOOP") });
  expect(await folder.find(["other"])).toEqual([]);
});

test("a link to a folder is not walked into, not even in the place of the folder itself", async () => {
  symlinkSync("/etc", join(folder.files, "etc"));
  expect(await folder.find(["etc/passwd"])).toEqual([]);
  renameSync(folder.files, `${folder.files}-moved`);
  symlinkSync("/etc", folder.files);
  expect(await folder.find(["passwd"])).toEqual([]);
});

test("a pipe is refused, and not waited for", async () => {
  execFileSync("mkfifo", [join(folder.files, "pipe")]);
  await expect(folder.find(["pipe"])).rejects.toMatchObject({ message: expect.stringContaining("no regular file") });
});

test("too many artifacts are refused", async () => {
  for (let index = 0; index <= limits.artifactsMax; index += 1) leave(`out/${index}`, "");
  await expect(folder.find(["out"])).rejects.toMatchObject({ message: expect.stringContaining("artifactsMax") });
  expect(await folder.find(["out/1?"])).toHaveLength(10);
});

test("too large artifacts are refused before anything is read", async () => {
  leave("huge", "");
  truncateSync(join(folder.files, "huge"), limits.artifactsBytesMax + 1);
  await expect(folder.find(["**"])).rejects.toMatchObject({ message: expect.stringContaining("artifactsBytesMax") });
});

test("a name that no file of ours could have is refused", async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${folder.files}/bad-`), Buffer.from([0xff])]), "");
  await expect(folder.find(["**"])).rejects.toMatchObject({
    code: "artifacts",
    message: expect.stringContaining("bad-"),
  });
});

test("it is removed with all that is in it", async () => {
  leave("out/a");
  await folder.remove();
  await folder.remove();
  expect(() => readFileSync(join(folder.files, "out/a"))).toThrow("ENOENT");
});
