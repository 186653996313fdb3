/** The folder of an attempt on a real disk: what commands may leave in it, hostile things included. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
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
import { type AttemptFolder, OwnFolders } from "./attemptFolder.ts";
import type { FileTree, FolderProblem } from "./fileTree.ts";

let parent: string;
let folder: AttemptFolder;
let files: FileTree;

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), "outlast-attempts-"));
  folder = await new OwnFolders(parent).make();
  ({ files } = folder);
});
afterEach(() => rmSync(parent, { recursive: true }));

async function* text(...pieces: string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function read(path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of files.read(path)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function leave(path: string, content = "x"): void {
  mkdirSync(join(files.path, path, ".."), { recursive: true });
  writeFileSync(join(files.path, path), content);
}

test("files are put in, also below folders, and never twice", async () => {
  await files.put("in/deep/data.csv", text("one", "two"));
  expect(readFileSync(join(files.path, "in/deep/data.csv"), "utf8")).toBe("onetwo");
  await expect(files.put("in/deep/data.csv", text("x"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(files.put("../escaped", text("x"))).rejects.toMatchObject({ code: "invalid-input" });
});

test("artifacts are found by their patterns, in order, and read whole", async () => {
  for (const path of ["out/b", "out/a/deep", "out/.hidden", "log.txt", "other"]) leave(path, path);
  expect(await files.find(["out/**", "*.txt"])).toEqual([
    { path: "log.txt", size: 7 },
    { path: "out/.hidden", size: 11 },
    { path: "out/a/deep", size: 10 },
    { path: "out/b", size: 5 },
  ]);
  expect(await read("out/a/deep")).toBe("out/a/deep");
  expect(await files.find(["nothing/**"])).toEqual([]);
});

test("a link is no artifact, whatever it leads to", async () => {
  symlinkSync("/etc/passwd", join(files.path, "secret"));
  await expect(files.find(["**"])).rejects.toMatchObject({
    code: "artifacts",
    message: expect.stringContaining("link"),
  });
  await expect(read("secret")).rejects.toMatchObject({ code: "artifacts", message: expect.stringContaining("ELOOP") });
  expect(await files.find(["other"])).toEqual([]);
});

test("a link to a folder is not walked into, not even in the place of the folder itself", async () => {
  symlinkSync("/etc", join(files.path, "etc"));
  expect(await files.find(["etc/passwd"])).toEqual([]);
  renameSync(files.path, `${files.path}-moved`);
  symlinkSync("/etc", files.path);
  expect(await files.find(["passwd"])).toEqual([]);
});

test("a pipe is refused, and not waited for", async () => {
  execFileSync("mkfifo", [join(files.path, "pipe")]);
  await expect(files.find(["pipe"])).rejects.toMatchObject({ message: expect.stringContaining("no regular file") });
  await expect(read("pipe")).rejects.toMatchObject({ message: expect.stringContaining("no regular file") });
});

test("too many artifacts are refused", async () => {
  for (let index = 0; index <= limits.artifactsMax; index += 1) leave(`out/${index}`, "");
  await expect(files.find(["out"])).rejects.toMatchObject({ message: expect.stringContaining("artifactsMax") });
  expect(await files.find(["out/1?"])).toHaveLength(10);
});

test("too large artifacts are refused before anything is read", async () => {
  leave("huge", "");
  truncateSync(join(files.path, "huge"), limits.artifactsBytesMax + 1);
  await expect(files.find(["**"])).rejects.toMatchObject({ message: expect.stringContaining("artifactsBytesMax") });
});

test("a name that no file of ours could have is refused", async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${files.path}/bad-`), Buffer.from([0xff])]), "");
  await expect(files.find(["**"])).rejects.toMatchObject({
    code: "artifacts",
    message: expect.stringContaining("bad-"),
  });
});

test("a folder that cannot be entered is of no matter where no pattern leads into it", async () => {
  leave("out/a");
  leave("out/deep/b");
  mkdirSync(Buffer.concat([Buffer.from(`${files.path}/bad-`), Buffer.from([0xff])]));
  expect(await files.find(["out/**"])).toHaveLength(2);
  expect(await files.find(["*/deep/b", "out/a"]).catch(({ code }: FolderProblem) => code)).toBe("artifacts");
  await expect(files.find(["**"])).rejects.toMatchObject({
    code: "artifacts",
    message: expect.stringContaining("bad-"),
  });
});

test("it is removed with all that is in it", async () => {
  leave("out/a");
  await folder.remove();
  await folder.remove();
  expect(() => readFileSync(join(files.path, "out/a"))).toThrow("ENOENT");
});

test("it is removed also where a command has gone deeper than any path can", async () => {
  const dive = 'for (let i = 0; i < 60; i++) { fs.mkdirSync("x".repeat(200)); process.chdir("x".repeat(200)); }';
  execFileSync(process.execPath, ["-e", dive], { cwd: files.path });
  await folder.remove();
  expect(readdirSync(parent)).toEqual([]);
});

test("what cannot be removed stays, and keeps no worker from starting", async () => {
  await new OwnFolders(join(parent, "x".repeat(300))).clear();
  leave("out/a");
  await new OwnFolders(parent).clear();
  expect(existsSync(parent)).toBe(false);
  mkdirSync(parent);
});
