/** Pipes with real FIFOs: what they carry, where they are made, and what is left of them. */
import {
  chownSync,
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { type FifoPipe, FifoPipes } from "./fifoPipes.ts";

let folder: string;
let own: string;
let pipes: FifoPipes;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outlast-fifo-"));
  own = join(folder, "own");
  pipes = new FifoPipes(own);
});
afterEach(async () => {
  await pipes.close();
  rmSync(folder, { recursive: true, force: true });
});

const openFiles = () => readdirSync("/proc/self/fd").length;
const leftovers = (parent: string) => readdirSync(parent).filter((name) => name.startsWith("outlast-pipes-"));

async function make(): Promise<FifoPipe> {
  const pipe = await pipes.make();
  if (pipe === null) throw new Error("This machine makes no FIFOs.");
  return pipe;
}

/** What comes out if the command opens the pipe once more, as it does with `/dev/stdout`. */
async function carried({ reader, writer }: FifoPipe): Promise<string> {
  const again = openSync(`/proc/self/fd/${writer}`, "w");
  writeSync(writer, "one, ");
  closeSync(writer);
  writeSync(again, "two");
  closeSync(again);
  return text(reader);
}

test("carries bytes, can be opened again, ends with its last writer, and has no name", async () => {
  const before = leftovers("/dev/shm");
  const pipe = await make();
  expect(leftovers("/dev/shm").filter((name) => !before.includes(name))).toEqual([]);
  expect(await carried(pipe)).toBe("one, two");
});

test("many at once are as many pipes", async () => {
  const made = await Promise.all(Array.from({ length: 100 }, make));
  expect(new Set(made.map(({ writer }) => fstatSync(writer).ino)).size).toBe(100);
  expect(await Promise.all(made.map(carried))).toEqual(made.map(() => "one, two"));
});

test("the ones that nobody took are closed in the end", async () => {
  await carried(await make());
  await pipes.close();
  const before = openFiles();
  await carried(await make());
  expect(openFiles()).toBeGreaterThan(before);
  await pipes.close();
  expect(openFiles()).toBe(before);
});

test.each(["/proc", "/no/such/place"])(
  "without a place in memory they are made beside the worker's files: %s",
  async (memory) => {
    pipes = new FifoPipes(own, false, memory);
    mkdirSync(own);
    writeFileSync(join(own, "of-an-earlier-life"), "");
    expect(await carried(await make())).toBe("one, two");
    expect(readdirSync(own)).toEqual([]);
  },
);

test("also if others removed that folder meanwhile", async () => {
  pipes = new FifoPipes(own, false, "/no/such/place");
  for (let count = 0; count < 20; count += 1) {
    rmSync(own, { recursive: true, force: true });
    expect(await carried(await make())).toBe("one, two");
  }
});

test("what a worker that was killed has left in memory goes with its next life, and nobody else's does", async () => {
  const memory = mkdtempSync("/dev/shm/outlast-test-");
  onTestFinished(() => rmSync(memory, { recursive: true }));
  pipes = new FifoPipes(own, false, memory);
  const making = make();
  let name = "";
  for (; name === ""; [name = ""] = readdirSync(memory)) await new Promise(setImmediate);
  await carried(await making);
  const left = name.replace(/.{6}$/, "killed");
  const others = ["outlast-pipes-killed", "outlast-pipes-0123456789abcdef-killed", `${left}-of-another-user`];
  for (const each of [left, ...others]) {
    mkdirSync(join(memory, each));
    writeFileSync(join(memory, each, "0"), "");
  }
  const canGiveAway = process.getuid?.() === 0;
  if (canGiveAway) chownSync(join(memory, `${left}-of-another-user`), 1, 1);
  else rmSync(join(memory, `${left}-of-another-user`), { recursive: true });
  await pipes.close();
  pipes = new FifoPipes(own, false, memory);
  await carried(await make());
  expect(readdirSync(memory).sort()).toEqual((canGiveAway ? others : others.slice(0, 2)).sort());
});
