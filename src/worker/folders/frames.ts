/** How a worker and a process that deals with files for it talk: frames with a length, over pipes. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { limits } from "../../model/limits.ts";

/** `data` is a piece of a file, `end` the end of one, `message` a JSON value. */
export type Frame =
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "end" }
  | { readonly kind: "message"; readonly value: unknown };

/** What is asked for; `root` is the folder that all is about, absolute. `put` is followed by the content of the file. */
export type TreeRequest =
  | { readonly do: "make"; readonly root: string; readonly mode: number }
  | { readonly do: "put"; readonly root: string; readonly name: string }
  | { readonly do: "discard"; readonly root: string; readonly name: string }
  | { readonly do: "find"; readonly root: string; readonly patterns: readonly string[] }
  | { readonly do: "read"; readonly root: string; readonly path: string }
  | { readonly do: "remove"; readonly root: string };

/** What follows each request. Before it, `read` sends the content of the file. */
export type TreeAnswer =
  | { readonly kind: "done"; readonly value: unknown }
  /** A `FolderProblem`. */
  | { readonly kind: "problem"; readonly code: string; readonly message: string }
  /** What the system has said. */
  | { readonly kind: "failure"; readonly code?: string; readonly message: string };

const codes = { data: 0, end: 1, message: 2 } as const;
/** The kind, and the length of what follows in bytes. */
const headBytes = 5;

/** The other end sends what no frame can be. */
export class BrokenFrame extends Error {}

/** Resolves when the pipe takes more. Rejects if it is closed. */
export async function writeFrame(output: Writable, frame: Frame): Promise<void> {
  const body = bodyOf(frame);
  for (let at = 0; at === 0 || at < body.length; at += limits.treeFrameBytesMax) {
    const part = frame.kind === "data" ? body.subarray(at, at + limits.treeFrameBytesMax) : body;
    const head = Buffer.alloc(headBytes);
    head.writeUInt8(codes[frame.kind], 0);
    head.writeUInt32LE(part.length, 1);
    output.write(head);
    if (!output.write(part)) await once(output, "drain");
    if (part === body) return;
  }
}

function bodyOf(frame: Frame): Buffer {
  switch (frame.kind) {
    case "data":
      return frame.bytes;
    case "end":
      return Buffer.alloc(0);
    case "message":
      return Buffer.from(JSON.stringify(frame.value));
    default:
      return frame satisfies never;
  }
}

export class FrameReader {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(input: AsyncIterable<Buffer>) {
    this.#pieces = input[Symbol.asyncIterator]();
  }

  /** @returns null at the end of the input @throws BrokenFrame */
  async next(): Promise<Frame | null> {
    if (!(await this.#has(headBytes))) return null;
    const code = this.#rest.readUInt8(0);
    const length = this.#rest.readUInt32LE(1);
    if (length > limits.treeFrameBytesMax) throw new BrokenFrame("A frame is too long.");
    if (!(await this.#has(headBytes + length))) return null;
    const bytes = this.#rest.subarray(headBytes, headBytes + length);
    this.#rest = this.#rest.subarray(headBytes + length);
    switch (code) {
      case codes.data:
        return { kind: "data", bytes };
      case codes.end:
        return { kind: "end" };
      case codes.message:
        return { kind: "message", value: parse(bytes) };
      default:
        throw new BrokenFrame("A frame is of an unknown kind.");
    }
  }

  async #has(length: number): Promise<boolean> {
    if (this.#rest.length >= length) return true;
    const pieces = [this.#rest];
    let bytes = this.#rest.length;
    while (bytes < length) {
      const piece = await this.#pieces.next();
      if (piece.done === true) return false;
      pieces.push(piece.value);
      bytes += piece.value.length;
    }
    this.#rest = Buffer.concat(pieces);
    return true;
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw new BrokenFrame("A frame holds no JSON.");
  }
}
