/** Commands, stdin, files and artifacts of `exec`, with real processes in real folders. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toBlobReference } from "../../../src/model/blob.ts";
import type { AttemptContent, ItemAnswer } from "../../../src/model/protocol.ts";
import { type BlobAccess, BlobsUnavailable } from "../../../src/ports/blobs.ts";
import { OwnFolders } from "../../../src/worker/folders/attemptFolder.ts";
import { marked, type Stage, stage } from "./stage.ts";

/** The masters' files, in memory. */
class Files implements BlobAccess {
  readonly contents = new Map<string, Buffer>();
  /** How many calls fail before one works. */
  failures = 0;

  add(text: string): string {
    const sha256 = createHash("sha256").update(text).digest("hex");
    this.contents.set(sha256, Buffer.from(text));
    return toBlobReference(sha256);
  }

  async getBlob(sha256: string) {
    this.#failMaybe();
    const bytes = this.contents.get(sha256);
    if (bytes === undefined) return null;
    return { size: bytes.length, content: this.#pieces(bytes) };
  }

  async *#pieces(bytes: Buffer) {
    yield bytes.subarray(0, 3);
    this.#failMaybe();
    yield bytes.subarray(3);
  }

  async putBlob(content: AsyncIterable<Uint8Array>) {
    this.#failMaybe();
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.contents.set(sha256, bytes);
    return { sha256, size: bytes.length };
  }

  #failMaybe() {
    this.failures -= 1;
    if (this.failures >= 0) throw new BlobsUnavailable("network", "No master is there.");
  }
}

let files: Files;
let folders: string;
let place: Stage;
let items: AttemptContent[];

beforeEach(async () => {
  files = new Files();
  folders = join(mkdtempSync(join(tmpdir(), "outlast-folders-")), "attempts");
  items = [];
  place = await stage({ blobs: files, attemptFolders: new OwnFolders(folders) });
});
afterEach(async () => {
  await place.close();
  rmSync(join(folders, ".."), { recursive: true, force: true });
});

const committed: ItemAnswer = { verdict: "committed" };

function run(input: { readonly [name: string]: unknown }) {
  const send = async (content: AttemptContent) => {
    items.push(content);
    return committed;
  };
  return place.start("exec", input as never, {}, { send });
}

const foldersLeft = () => (existsSync(folders) ? readdirSync(folders) : []);

describe("several commands", () => {
  test("run one after another, each with its own exit record", async () => {
    const running = run({
      commands: [
        ["echo", "one"],
        ["echo", "two"],
      ],
    });
    expect(await running.ended).toMatchObject({
      outcome: "success",
      exit: { code: 0, signal: null },
      exits: [
        { code: 0, signal: null },
        { code: 0, signal: null },
      ],
    });
    expect(running.text()).toBe("one\ntwo\n");
  });

  test("the first failure ends the attempt", async () => {
    const running = run({ commands: ["echo one", "exit 7", "echo three"], shell: true });
    expect(await running.ended).toMatchObject({
      outcome: "failed",
      error: { code: "exit", message: "Command 2 of 3 ended with exit code 7." },
      exit: { code: 7 },
      exits: [{ code: 0 }, { code: 7 }],
    });
    expect(running.text()).toBe("one\n");
  });

  test("a program that is not there is told with its place", async () => {
    const { error } = await run({ commands: [["true"], ["/no/such/program"]] }).ended;
    expect(error?.message).toMatch(/^Command 2 of 2: .*\/no\/such\/program/);
  });

  test("what one leaves running does not outlive it", async () => {
    const running = run({ commands: ["sleep 1000 & echo begun", "echo end"], shell: true });
    expect((await running.ended).outcome).toBe("success");
    expect(marked(`OUTLAST_TASK=${running.ref.task}`)).toEqual([]);
  });

  test("an abort ends the one that runs, and starts no other", async () => {
    const running = run({ commands: ["echo begun; sleep 1000", "echo next"], shell: true });
    while (!running.text().includes("begun")) await new Promise((resolve) => setImmediate(resolve));
    place.executor.abort(running.ref, 0, "cancelled");
    expect((await running.ended).outcome).toBe("aborted");
    expect(running.text()).toBe("begun\n");
  });
});

describe("stdin", () => {
  test("is a text, for each command from its beginning", async () => {
    const running = run({ commands: [["cat"], ["wc", "-c"]], stdin: "ünï\n" });
    await running.ended;
    expect(running.text().replaceAll(" ", "")).toBe("ünï\n6\n");
  });

  test("is a blob", async () => {
    const running = run({ command: ["cat"], stdin: { blob: files.add("a whole file") } });
    expect((await running.ended).outcome).toBe("success");
    expect(running.text()).toBe("a whole file");
  });
});

describe("files", () => {
  test("are in a folder of the attempt's own, which is gone afterwards", async () => {
    const input = {
      command: "ls -A; cat in/data.csv; pwd; echo $OUTLAST_FOLDER",
      files: { "in/data.csv": files.add("1,2,3\n"), ".conf": files.add("") },
    };
    const running = run({ ...input, command: [input.command], shell: true });
    expect((await running.ended).outcome).toBe("success");
    const [conf, folder, data, cwd, named] = running.text().split("\n");
    expect([conf, folder, data]).toEqual([".conf", "in", "1,2,3"]);
    expect(cwd).toBe(named);
    expect(cwd?.startsWith(folders)).toBe(true);
    expect(foldersLeft()).toEqual([]);
  });

  test("two attempts do not see each other's", async () => {
    const input = { command: ["touch here; ls"], shell: true, artifacts: ["none"] };
    const [one, two] = [run(input), run(input)];
    await Promise.all([one.ended, two.ended]);
    expect([one.text(), two.text()]).toEqual(["here\n", "here\n"]);
  });

  test("are waited for while no master answers, and begun anew where they broke off", async () => {
    files.failures = 2;
    const running = run({ command: ["cat", "f"], files: { f: files.add("0123456789") } });
    expect((await running.ended).outcome).toBe("success");
    expect(running.text()).toBe("0123456789");
  });

  test("one that is gone fails the attempt and says which", async () => {
    const running = run({ command: ["true"], files: { f: toBlobReference("0".repeat(64)) } });
    expect(await running.ended).toMatchObject({ outcome: "failed", error: { code: "blob-missing" } });
    expect(foldersLeft()).toEqual([]);
  });

  test("an abort while no master answers ends the attempt", async () => {
    files.failures = 1_000_000;
    const running = run({ command: ["true"], files: { f: files.add("x") } });
    while (files.failures === 1_000_000) await new Promise((resolve) => setImmediate(resolve));
    place.executor.abort(running.ref, 0, "cancelled");
    expect((await running.ended).outcome).toBe("aborted");
    expect(foldersLeft()).toEqual([]);
  });

  test("a worker whose disk cannot take a folder hands the attempt back", async () => {
    rmSync(folders, { recursive: true, force: true });
    writeFileSync(folders, "");
    const running = run({ command: ["true"], files: { f: files.add("x") } });
    expect(await running.ended).toMatchObject({ outcome: "aborted", error: { code: "machine" } });
  });
});

describe("artifacts", () => {
  const script = "mkdir -p out/deep; echo result > out/deep/r.txt; echo log > log.txt; echo no > other";

  test("are uploaded after success, and told before the result", async () => {
    const running = run({ command: [script], shell: true, artifacts: ["out/**", "*.txt"] });
    expect((await running.ended).outcome).toBe("success");
    expect(items).toMatchObject([
      {
        kind: "artifacts",
        first: 0,
        files: [
          { path: "log.txt", size: 4 },
          { path: "out/deep/r.txt", size: 7 },
        ],
      },
    ]);
    const [item] = items;
    const stored = item?.kind === "artifacts" ? files.contents.get(item.files[1]?.sha256 ?? "") : null;
    expect(String(stored)).toBe("result\n");
    expect(foldersLeft()).toEqual([]);
  });

  test("of a failed command are not kept", async () => {
    const running = run({ command: [`${script}; exit 1`], shell: true, artifacts: ["out/**"] });
    expect((await running.ended).outcome).toBe("failed");
    expect([items, files.contents.size]).toEqual([[], 0]);
  });

  test("a link among them fails the attempt", async () => {
    const running = run({ command: ["ln -s /etc/passwd secret"], shell: true, artifacts: ["**"] });
    expect(await running.ended).toMatchObject({ outcome: "failed", error: { code: "artifacts" } });
    expect(files.contents.size).toBe(0);
  });

  test("many go in several items", async () => {
    const running = run({ command: ["for i in $(seq 100 349); do echo $i > $i; done"], shell: true, artifacts: ["*"] });
    expect((await running.ended).outcome).toBe("success");
    expect(items.map((item) => item.kind === "artifacts" && [item.first, item.files.length])).toEqual([
      [0, 100],
      [100, 100],
      [200, 50],
    ]);
  });

  test("a full place for files is told, and the attempt fails", async () => {
    files.putBlob = () => Promise.reject(new BlobsUnavailable("full", "There is no room."));
    const running = run({ command: [script], shell: true, artifacts: ["out/**"] });
    expect(await running.ended).toMatchObject({ outcome: "failed", error: { code: "storage-full" } });
  });
});

test("folders that an earlier life has left are removed at the start", async () => {
  mkdirSync(join(folders, "attempt-old", "files"), { recursive: true });
  await place.executor.open();
  expect(foldersLeft()).toEqual([]);
});
