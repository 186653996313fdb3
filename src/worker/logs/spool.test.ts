/** The log spool on a real disk. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { AttemptRef, LogChunk } from "../../model/protocol.ts";
import { FileLogSpool } from "./spool.ts";

let parent = "";
let directory = "";

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "outlast-spool-"));
  directory = join(parent, "logs");
});

afterEach(() => {
  rmSync(parent, { recursive: true });
});

const a: AttemptRef = { task: "a" as TaskId, attempt: 1 };
const b: AttemptRef = { task: "b" as TaskId, attempt: 1 };
const plenty = 100 * 1024 * 1024;
const bytes = (text: string) => Buffer.from(text);
const files = () => readdirSync(directory);

/** Like a master: stores each piece once, by its offset. */
function textOf(chunks: readonly LogChunk[], { task, attempt }: AttemptRef): string {
  const byOffset = new Map<number, Uint8Array>();
  for (const chunk of chunks) {
    if (chunk.task === task && chunk.attempt === attempt && !byOffset.has(chunk.offset))
      byOffset.set(chunk.offset, chunk.bytes);
  }
  const ordered = [...byOffset].sort(([x], [y]) => x - y);
  let end = 0;
  for (const [offset, piece] of ordered) {
    expect(offset, "a gap or an overlap").toBe(end);
    end += piece.length;
  }
  return Buffer.concat(ordered.map(([, piece]) => piece)).toString();
}

describe("sending", () => {
  test("a task without output makes no file", () => {
    const spool = new FileLogSpool(directory);
    expect(spool.end(a)).toBe(0);
    expect(spool.take(plenty)).toEqual([]);
    expect(files()).toEqual([]);
  });

  test("small writes become one piece, given again until it is stored", () => {
    const spool = new FileLogSpool(directory);
    spool.write(a, 10, bytes("one "));
    spool.write(a, 20, bytes("two"));
    const first = spool.take(plenty);
    expect(first).toMatchObject([{ ...a, offset: 0, at: 10, isTruncated: false }]);
    expect(textOf(first, a)).toBe("one two");
    spool.write(a, 30, bytes(" three"));
    const second = spool.take(plenty);
    expect(second.map(({ offset }) => offset)).toEqual([0, 7]);
    spool.stored(first);
    expect(spool.take(plenty).map(({ offset }) => offset)).toEqual([7]);
    expect(textOf([...first, ...second], a)).toBe("one two three");
  });

  test("the file goes when the attempt is over and all of it is stored, in either order", () => {
    const spool = new FileLogSpool(directory);
    spool.write(a, 0, bytes("x"));
    spool.write(b, 0, bytes("y"));
    const chunks = spool.take(plenty);
    expect(files()).toHaveLength(2);
    expect(spool.end(a)).toBe(1);
    spool.stored(chunks);
    expect(files()).toHaveLength(1);
    expect(spool.end(b)).toBe(1);
    expect(files()).toEqual([]);
  });

  test("no piece is larger than a master takes, and no request unless by its first piece", () => {
    const spool = new FileLogSpool(directory);
    const text = "0123456789".repeat(limits.logChunkBytesMax / 4);
    spool.write(a, 0, bytes(text));
    const all: LogChunk[] = [];
    for (let chunks = spool.take(100_000); chunks.length > 0; chunks = spool.take(100_000)) {
      const size = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
      expect(size).toBeLessThanOrEqual(100_000);
      all.push(...chunks);
      spool.stored(chunks);
    }
    expect(Math.max(...all.map((chunk) => chunk.bytes.length))).toBe(limits.logChunkBytesMax);
    expect(textOf(all, a)).toBe(text);
    expect(spool.take(10)).toEqual([]);
  });

  test("one that prints much does not starve the others", () => {
    const spool = new FileLogSpool(directory);
    spool.write(a, 0, Buffer.alloc(10 * limits.logChunkBytesMax));
    spool.write(b, 0, bytes("short"));
    spool.stored(spool.take(limits.logChunkBytesMax));
    expect(spool.take(limits.logChunkBytesMax)[0]).toMatchObject(b);
  });

  test("file names are hashes, whatever the task is called", () => {
    const spool = new FileLogSpool(directory);
    spool.write({ task: ".." as TaskId, attempt: 1 }, 0, bytes("x"));
    spool.take(plenty);
    expect(files()).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });
});

describe("bounds", () => {
  test("past its bound a log is cut, and says so", () => {
    const spool = new FileLogSpool(directory, 10);
    spool.write(a, 0, bytes("0123456"));
    spool.write(a, 1, bytes("789abc"));
    spool.write(a, 2, bytes("never"));
    const chunks = spool.take(plenty);
    expect(textOf(chunks, a)).toBe("0123456789");
    expect(chunks.at(-1)?.isTruncated).toBe(true);
    expect(spool.end(a)).toBe(10);
  });

  test("a log that was full and sent before the next byte came is marked by an empty piece", () => {
    const spool = new FileLogSpool(directory, 4);
    spool.write(a, 0, bytes("0123"));
    const chunks = spool.take(plenty);
    expect(chunks).toMatchObject([{ isTruncated: false }]);
    spool.stored(chunks);
    spool.write(a, 5, bytes("4"));
    expect(spool.take(plenty)).toMatchObject([{ offset: 4, bytes: Buffer.alloc(0), isTruncated: true }]);
  });

  test("a disk that refuses loses nothing while a master takes the output", () => {
    writeFileSync(directory, "a file where the directory should be");
    const spool = new FileLogSpool(directory);
    const taken: LogChunk[] = [];
    for (const text of ["one ", "two ", "three"]) {
      spool.write(a, 0, bytes(text));
      const chunks = spool.take(plenty);
      taken.push(...chunks);
      spool.stored(chunks);
    }
    expect(textOf(taken, a)).toBe("one two three");
    expect(taken.every(({ isTruncated }) => !isTruncated)).toBe(true);
    expect(spool.end(a)).toBe(13);
    spool.close();
  });

  test("a disk that refuses while no master takes anything loses output at last, and the log says why", () => {
    writeFileSync(directory, "a file where the directory should be");
    const spool = new FileLogSpool(directory);
    const piece = Buffer.alloc(limits.logChunkBytesMax, "x");
    for (let written = 0; written <= limits.spoolMemoryBytesMax; written += piece.length) spool.write(a, 0, piece);
    spool.write(a, 0, bytes("never seen"));
    const taken: LogChunk[] = [];
    for (let chunks = spool.take(plenty); chunks.length > 0; chunks = spool.take(plenty)) {
      taken.push(...chunks);
      spool.stored(chunks);
    }
    const text = textOf(taken, a);
    expect(text).toContain("[outlast] The rest of this output is lost: the worker's disk refuses it (");
    expect(text).not.toContain("never seen");
    expect(spool.end(a)).toBe(text.length);
    // There is room again for the next attempt.
    spool.write({ ...a, attempt: 2 }, 0, bytes("fine"));
    expect(textOf(spool.take(plenty), { ...a, attempt: 2 })).toBe("fine");
  });
});

describe("another life", () => {
  test("what could not be sent is sent by the next process, with the same bounds", () => {
    const spool = new FileLogSpool(directory);
    spool.write(a, 7, bytes("one "));
    const sent = spool.take(plenty);
    spool.write(a, 8, bytes("two"));
    spool.close();
    const next = new FileLogSpool(directory);
    const again = next.take(plenty);
    expect(again.map(({ offset, at, bytes: content }) => [offset, at, content.length])).toEqual([
      [0, 7, 4],
      [4, 8, 3],
    ]);
    expect(textOf([...sent, ...again], a)).toBe("one two");
    next.stored(again);
    expect(files()).toEqual([]);
  });

  test("what cannot be read keeps no other log back", () => {
    const before = new FileLogSpool(directory);
    before.write(a, 0, bytes("one"));
    before.write(b, 0, bytes("two"));
    before.close();
    // One is listed before all files, one after them.
    const strangers = ["!stranger", "stranger"];
    for (const name of strangers) mkdirSync(join(directory, name));
    const after = new FileLogSpool(directory);
    const taken = after.take(plenty);
    expect([textOf(taken, a), textOf(taken, b)]).toEqual(["one", "two"]);
    after.stored(taken);
    expect(files()).toEqual(strangers);
  });

  test("a file goes once it is dealt with also where the name of its task was damaged", () => {
    const before = new FileLogSpool(directory);
    before.write(a, 0, bytes("one"));
    before.close();
    const [path = ""] = files().map((name) => join(directory, name));
    writeFileSync(path, readFileSync(path).toString("latin1").replace(`"${a.task}"`, '"!"'), "latin1");
    const after = new FileLogSpool(directory);
    const taken = after.take(plenty);
    expect(taken.map(({ bytes: content }) => Buffer.from(content).toString())).toEqual(["one"]);
    after.stored(taken);
    expect(files()).toEqual([]);
  });

  test("cut anywhere, a file gives back its whole pieces, and one that holds none goes", () => {
    const spool = new FileLogSpool(directory);
    spool.write(a, 0, bytes("first"));
    spool.take(plenty);
    spool.write(a, 0, bytes("second"));
    spool.close();
    const [name = ""] = files();
    const path = join(directory, name);
    const whole = readFileSync(path);
    for (let length = whole.length; length >= 0; length -= 1) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const text = textOf(new FileLogSpool(directory).take(plenty), a);
      expect(["firstsecond", "first", ""], `cut at ${length}`).toContain(text);
      if (length === whole.length) expect(text).toBe("firstsecond");
      if (text === "") expect(files()).toEqual([]);
    }
  });
});

test("whatever is written comes out once and in order, whatever is sent, lost and repeated (I36)", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("write" as const),
      to: fc.constantFrom(a, b),
      size: fc.integer({ min: 1, max: 150_000 }),
    }),
    fc.record({ kind: fc.constantFrom("send", "lose", "restart") }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      rmSync(directory, { recursive: true, force: true });
      let spool = new FileLogSpool(directory);
      let count = 0;
      const stored: LogChunk[] = [];
      const written = new Map([
        [a, ""],
        [b, ""],
      ]);
      const ended = new Set<AttemptRef>();
      for (const item of steps) {
        if (item.kind === "write") {
          if (ended.has(item.to)) continue;
          const text = `${(count += 1)} `.repeat(item.size).slice(0, item.size);
          written.set(item.to, (written.get(item.to) ?? "") + text);
          spool.write(item.to, 0, bytes(text));
        } else if (item.kind === "restart") {
          spool.close();
          spool = new FileLogSpool(directory);
          // A new process runs new attempts only.
          for (const ref of [a, b]) ended.add(ref);
        } else {
          const chunks = spool.take(200_000);
          stored.push(...chunks);
          if (item.kind === "send") spool.stored(chunks);
        }
      }
      for (const ref of [a, b]) spool.end(ref);
      for (let chunks = spool.take(200_000); chunks.length > 0; chunks = spool.take(200_000)) {
        stored.push(...chunks);
        spool.stored(chunks);
      }
      for (const [ref, text] of written) expect(textOf(stored, ref)).toBe(text);
      expect(files()).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
