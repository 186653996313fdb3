/** Two pipes become one run of bytes in which no character is torn, at the pace of whoever takes it. */
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { OutputPipes, wholeCharacters } from "./outputPipes.ts";

describe("wholeCharacters", () => {
  const text = Buffer.from("aä€😀z");

  test("cuts before a character that has begun, at every byte of a text", () => {
    for (let length = 0; length <= text.length; length++) {
      const whole = wholeCharacters(text.subarray(0, length));
      expect(text.subarray(0, whole).toString().includes("\ufffd")).toBe(false);
      expect(length - whole).toBeLessThan(4);
    }
    expect(wholeCharacters(text)).toBe(text.length);
  });

  test.each([[[0x80, 0x80, 0x80, 0x80]], [[0xff]], [[0x41, 0x80]], [[]]])("lets %j be, which is no text", (bytes) => {
    const all = Uint8Array.from(bytes);
    expect(all.length - wholeCharacters(all)).toBeLessThanOrEqual(1);
  });
});

describe("OutputPipes", () => {
  function open(onOutput: (bytes: Uint8Array) => void | Promise<void>) {
    const pipes = [new PassThrough(), new PassThrough()] as const;
    const ended = Promise.withResolvers<void>();
    const output = new OutputPipes(pipes, { onOutput, onOutputEnd: ended.resolve });
    return { pipes, output, ended: ended.promise };
  }

  test("hands on nothing while the last piece is not taken, and ends after it is", async () => {
    const taken: string[] = [];
    const events: string[] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { pipes, ended } = open((bytes) => {
      const index = taken.push(Buffer.from(bytes).toString()) - 1;
      arrived[index]?.resolve();
      return gates[index]?.promise;
    });
    void ended.then(() => events.push("ended"));
    pipes[0].end("one");
    await arrived[0]?.promise;
    pipes[1].end("two");
    expect(taken).toEqual(["one"]);
    gates[0]?.resolve();
    await arrived[1]?.promise;
    expect(events).toEqual([]);
    // A reader that fails loses its piece, and holds up nobody.
    gates[1]?.reject(new Error("no room"));
    await ended;
    expect(taken).toEqual(["one", "two"]);
  });

  test("hands on nothing after close, and does not end", async () => {
    const taken: Uint8Array[] = [];
    const { pipes, output, ended } = open((bytes) => void taken.push(bytes));
    let hasEnded = false;
    void ended.then(() => {
      hasEnded = true;
    });
    output.close();
    pipes[0].write("late");
    await Promise.all(pipes.map((pipe) => new Promise((resolve) => pipe.once("close", resolve))));
    expect({ taken, hasEnded }).toEqual({ taken: [], hasEnded: false });
  });
});
