/** `ctx.files`: a folder of the attempt, files of the masters in it, and artifacts out of it. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { toBlobReference } from "../../../src/model/blob.ts";
import type { Json } from "../../../src/model/json.ts";
import type { AttemptContent } from "../../../src/model/protocol.ts";
import { type BlobAccess, BlobsUnavailable } from "../../../src/ports/blobs.ts";
import { handlerOptions } from "../../../src/runner/handlerOptions.ts";
import { OwnFolders } from "../../../src/worker/folders/attemptFolder.ts";
import { type Stage, stage } from "../executor/stage.ts";

const tasks = fileURLToPath(new URL("./tasks/files.ts", import.meta.url));
const contents = new Map<string, Buffer>();
let failures = 0;

/** The masters' files, in memory. */
const blobs: BlobAccess = {
  async getBlob(sha256) {
    failures -= 1;
    if (failures >= 0) throw new BlobsUnavailable("network", "No master is there.");
    const bytes = contents.get(sha256);
    if (bytes === undefined) return null;
    const content = (async function* () {
      yield bytes;
    })();
    return { size: bytes.length, content };
  },
  async putBlob(content) {
    const bytes = Buffer.concat(await Array.fromAsync(content));
    return { sha256: add(bytes).slice("sha256:".length), size: bytes.length };
  },
};

function add(bytes: Buffer): string {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  contents.set(sha256, bytes);
  return toBlobReference(sha256);
}

let on: Stage;
let folders: string;
let items: AttemptContent[] = [];

beforeAll(async () => {
  folders = join(mkdtempSync(join(tmpdir(), "outlast-folders-")), "attempts");
  on = await stage({
    handlers: handlerOptions([{ path: tasks, isNamed: true }]),
    blobs,
    attemptFolders: new OwnFolders(folders),
  });
  await on.executor.open();
}, 60_000);
afterAll(async () => {
  await on.close();
  rmSync(join(folders, ".."), { recursive: true, force: true });
});
beforeEach(() => {
  items = [];
  failures = 0;
});

function run(kind: string, input: Json) {
  const send = async (content: AttemptContent) => {
    items.push(content);
    return { verdict: "committed" } as const;
  };
  return on.start(kind, input, {}, { send });
}

const foldersLeft = () => (existsSync(folders) ? readdirSync(folders) : []);

test.each(["upper", "upper-inline"])("%s takes a file, leaves one, and its folder goes", async (kind) => {
  const { outcome, output } = await run(kind, add(Buffer.from("text"))).ended;
  expect(outcome).toBe("success");
  const blob = add(Buffer.from("TEXT"));
  expect(output).toMatchObject({ isInside: true, blob, size: 4 });
  const file = { path: "result.txt", sha256: blob.slice("sha256:".length), size: 4 };
  expect(items).toMatchObject([{ kind: "artifacts", first: 0, files: [file] }]);
  expect(foldersLeft()).toEqual([]);
});

test("a master that is away is waited for, although nothing else goes on in the process", async () => {
  failures = 2;
  expect(await run("fetch", add(Buffer.from("x"))).ended).toMatchObject({ outcome: "success", output: true });
});

test("a blob that is not there fails the task for good", async () => {
  const { outcome, error } = await run("fetch", toBlobReference("0".repeat(64))).ended;
  expect([outcome, error?.code]).toEqual(["failed", "non-retryable"]);
  expect(foldersLeft()).toEqual([]);
});

test("several artifacts are numbered, and each path is published once", async () => {
  const { error } = await run("publish-twice", "b").ended;
  expect(error?.message).toContain("published already");
  expect(items).toMatchObject([
    { first: 0, files: [{ path: "a" }] },
    { first: 1, files: [{ path: "b" }] },
  ]);
});

test.each([
  ["../escaped", "no part of it may be"],
  ["not-there", "ENOENT"],
  ["/etc/passwd", "must be relative"],
])("the artifact %s is refused", async (path, message) => {
  expect((await run("publish-twice", path).ended).error?.message).toContain(message);
});

test("the folder of a handler that ends its process goes, too", async () => {
  const running = run("crash", null);
  expect((await running.ended).outcome).toBe("failed");
  expect(running.text()).toContain(folders);
  expect(foldersLeft()).toEqual([]);
});
