/** Follows a file that others append to, line by line. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";

const pieceBytes = 256 * 1024;

export class Tail {
  readonly #path: string;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** The lines that have been finished since the last call. */
  lines(): string[] {
    if (!existsSync(this.#path)) return [];
    const file = openSync(this.#path, "r");
    try {
      const pieces = [this.#rest];
      const { size } = fstatSync(file);
      while (this.#offset < size) {
        const piece = Buffer.alloc(Math.min(pieceBytes, size - this.#offset));
        const count = readSync(file, piece, 0, piece.length, this.#offset);
        if (count === 0) break;
        this.#offset += count;
        pieces.push(piece.subarray(0, count));
      }
      const whole = Buffer.concat(pieces);
      const end = whole.lastIndexOf(0x0a) + 1;
      this.#rest = whole.subarray(end);
      return whole.toString("utf8", 0, end).split("\n").slice(0, -1);
    } finally {
      closeSync(file);
    }
  }
}
