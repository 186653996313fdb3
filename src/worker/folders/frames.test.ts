/** Frames between a worker and the process that deals with files for it, whose words are worth no more than a task's. */
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { BrokenFrame, type Frame, FrameReader, writeFrame } from "./frames.ts";

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function written(...frames: Frame[]): Promise<Buffer> {
  const pipe = new PassThrough();
  const all: Buffer[] = [];
  pipe.on("data", (piece: Buffer) => all.push(piece));
  for (const frame of frames) await writeFrame(pipe, frame);
  pipe.end();
  await new Promise((resolve) => pipe.once("end", resolve));
  return Buffer.concat(all);
}

async function readAll(bytes: Buffer, size = bytes.length): Promise<Frame[]> {
  const reader = new FrameReader(pieces(bytes, size));
  const frames: Frame[] = [];
  for (let frame = await reader.next(); frame !== null; frame = await reader.next()) frames.push(frame);
  return frames;
}

test("come as they went, in whatever pieces", async () => {
  const frames: Frame[] = [
    { kind: "message", value: { text: "ä" } },
    { kind: "data", bytes: Buffer.from([0, 1, 255]) },
    { kind: "data", bytes: Buffer.alloc(0) },
    { kind: "end" },
  ];
  const bytes = await written(...frames);
  for (const size of [1, 4, 7, bytes.length]) expect(await readAll(bytes, size)).toEqual(frames);
});

test("much data goes in several of them", async () => {
  const bytes = Buffer.alloc(2 * limits.treeFrameBytesMax + 3, "x");
  const frames = await readAll(await written({ kind: "data", bytes }), 1 << 16);
  expect(frames.map((frame) => (frame.kind === "data" ? frame.bytes.length : frame.kind))).toEqual([
    limits.treeFrameBytesMax,
    limits.treeFrameBytesMax,
    3,
  ]);
});

test("of an end in the middle nothing is taken", async () => {
  const bytes = await written({ kind: "message", value: "whole" });
  expect(await readAll(bytes.subarray(0, -1), 3)).toEqual([]);
});

test.each([
  ["too long", Buffer.from([0, 0xff, 0xff, 0xff, 0xff])],
  ["of no known kind", Buffer.from([9, 0, 0, 0, 0])],
  ["no JSON", Buffer.from([2, 1, 0, 0, 0, 0x7b])],
])("are refused if they are %s", async (_, bytes) => {
  await expect(readAll(bytes)).rejects.toBeInstanceOf(BrokenFrame);
});

test("that nobody can read any more reject, and wait for nothing", async () => {
  const pipe = new PassThrough({ highWaterMark: 1 });
  const writing = writeFrame(pipe, { kind: "data", bytes: Buffer.alloc(100) });
  pipe.destroy(new Error("gone"));
  await expect(writing).rejects.toThrow();
});
