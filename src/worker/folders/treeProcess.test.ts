/** A process that deals with files: kept for the next request, replaced when it has ended, and not waited for without end. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defaults } from "../../model/limits.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { FolderProblem } from "./fileTree.ts";
import { TreeProcess, TreeProcessLost } from "./treeProcess.ts";

const program = fileURLToPath(new URL("./treeProgram.ts", import.meta.url));
const path = process.env["PATH"] ?? "";
/** Writes down who it is before it does its work. */
const noted = (command: string) => ["/bin/sh", "-c", `echo $$ >>"$PIDS"; ${command}`, "sh"];

let root: string;
let clock: FakeClock;
let tree: TreeProcess;

function start(argv: readonly string[]): void {
  tree = new TreeProcess({ argv, env: { PATH: path, PIDS: join(root, "pids") }, clock });
}

function pids(): number[] {
  return readFileSync(join(root, "pids"), "utf8").trim().split("\n").map(Number);
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function read(file: string): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of tree.receive({ do: "read", root, path: file })) all.push(piece);
  return Buffer.concat(all).toString();
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "outlast-tree-"));
  clock = new FakeClock();
  start([...noted('exec "$@"'), process.execPath, program]);
});
afterEach(() => {
  tree.end();
  rmSync(root, { recursive: true });
});

test("puts, finds, reads and removes files, one request after another, all by one process", async () => {
  const large = "x".repeat(3_000_000);
  await Promise.all([
    tree.ask({ do: "put", root, name: "in/a" }, pieces("one ", "two")),
    tree.ask({ do: "put", root, name: "in/b" }, pieces(large)),
  ]);
  expect(await tree.ask({ do: "find", root, patterns: ["in/**"] })).toEqual([
    { path: "in/a", size: 7 },
    { path: "in/b", size: large.length },
  ]);
  expect(await read("in/a")).toBe("one two");
  expect((await read("in/b")) === large).toBe(true);
  await tree.ask({ do: "discard", root, name: "in/a" });
  expect(existsSync(join(root, "in/a"))).toBe(false);
  expect(pids()).toHaveLength(1);
});

test("says what is wrong with a request, and takes the next one", async () => {
  await tree.ask({ do: "put", root, name: "a" }, pieces("a"));
  await expect(tree.ask({ do: "put", root, name: "a" }, pieces("b", "c"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(tree.ask({ do: "put", root, name: "../a" }, pieces("b"))).rejects.toThrow(FolderProblem);
  await expect(read("none")).rejects.toMatchObject({ code: "artifacts" });
  expect(await read("a")).toBe("a");
  expect(pids()).toHaveLength(1);
});

test("content that breaks off takes the process with it, and no other request", async () => {
  async function* broken() {
    yield Buffer.from("half");
    throw new Error("the masters are gone");
  }
  await expect(tree.ask({ do: "put", root, name: "a" }, broken())).rejects.toThrow("the masters are gone");
  await tree.ask({ do: "discard", root, name: "a" });
  await tree.ask({ do: "put", root, name: "a" }, pieces("whole"));
  expect(await read("a")).toBe("whole");
});

test("is ended when nobody has asked for a while, and started again", async () => {
  await tree.ask({ do: "put", root, name: "a" }, pieces("a"));
  const [first = 0] = pids();
  await clock.advance(defaults.treeIdleMs);
  await vi.waitFor(() => expect(() => process.kill(first, 0)).toThrow("ESRCH"));
  expect(await read("a")).toBe("a");
  expect(pids()).toHaveLength(2);
});

test("is replaced if somebody has killed it", async () => {
  await tree.ask({ do: "put", root, name: "a" }, pieces("a"));
  const [first = 0] = pids();
  process.kill(first, "SIGKILL");
  await vi.waitFor(() => expect(() => process.kill(first, 0)).toThrow("ESRCH"));
  expect(await read("a")).toBe("a");
});

test.each([
  ["ends", "exit 3", "exit code 3"],
  ["complains and ends", "echo no room >&2; exit 1", "no room"],
  ["is killed", "kill -9 $$", "SIGKILL"],
  ["says nonsense", "head -c 5 /dev/zero | tr '\\0' 'z'; sleep 100", "A frame is"],
  ["answers nonsense", "printf '\\002\\001\\000\\000\\0007'; sleep 100", "it says nonsense"],
])("one that %s before it has answered is lost, and nothing is waited for", async (_, command, message) => {
  start(noted(command));
  const asked = tree.ask({ do: "find", root, patterns: ["a"] });
  await expect(asked).rejects.toThrow(TreeProcessLost);
  await expect(asked).rejects.toThrow(message);
});

test("one that is silent is given up and killed", async () => {
  start(noted("exec sleep 1000"));
  const asked = tree.ask({ do: "find", root, patterns: ["a"] });
  asked.catch(() => {});
  await vi.waitFor(() => expect(pids()).toHaveLength(1));
  await clock.advance(defaults.treeSilenceMs);
  await expect(asked).rejects.toThrow("silent");
  await vi.waitFor(() => expect(() => process.kill(pids()[0] ?? 0, 0)).toThrow("ESRCH"));
});
