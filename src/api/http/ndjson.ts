/** Parses NDJSON bodies line by line as they arrive, so that a large batch is never held as text. */
import type { Readable } from "node:stream";
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { parseJson } from "./jsonBody.ts";

const newline = 0x0a;
/** At the start of a file, and inside a body that was joined from several files. */
const byteOrderMark = Buffer.from("\ufeff");

export interface NdjsonBody {
  readonly values: Json[];
  /** `lines[i]` is the line of `values[i]`, counted from 1: empty lines count, but have no value. */
  readonly lines: number[];
}

/**
 * @param bytesMax the bound of the whole body
 * @throws OutlastError `bad-json` with `line`, or `too-large`
 */
export async function readNdjson(body: Readable, bytesMax: number): Promise<NdjsonBody> {
  const reader = new LineReader();
  let receivedBytes = 0;
  // The connection must stay open after an error: the refusal is sent on it.
  const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of chunks) {
    receivedBytes += chunk.length;
    if (receivedBytes > bytesMax) {
      throw new OutlastError("too-large", `The body is larger than ${bytesMax} bytes.`, { limit: "batchBodyBytesMax" });
    }
    reader.take(chunk);
  }
  return reader.end();
}

class LineReader {
  readonly #values: Json[] = [];
  readonly #lines: number[] = [];
  #line = 0;
  /** Pieces of the line that is not complete yet. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;

  take(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      if (end === start && this.#pieces.length === 0) {
        // Fast path: a body may consist of millions of empty lines.
        this.#line++;
      } else {
        this.#addPiece(chunk.subarray(start, end));
        this.#endLine();
      }
      start = end + 1;
    }
    if (start < chunk.length) this.#addPiece(chunk.subarray(start));
  }

  end(): NdjsonBody {
    this.#endLine();
    return { values: this.#values, lines: this.#lines };
  }

  #addPiece(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
    if (this.#pieceBytes > limits.bodyBytesMax) {
      throw new OutlastError("too-large", `Line ${this.#line + 1} is longer than ${limits.bodyBytesMax} bytes.`, {
        line: this.#line + 1,
        limit: "bodyBytesMax",
      });
    }
  }

  #endLine(): void {
    this.#line++;
    const [first] = this.#pieces;
    const bytes = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    if (isBlank(bytes)) return;
    if (this.#values.length >= limits.batchTasksMax) {
      throw new OutlastError("too-large", `A batch may have at most ${limits.batchTasksMax} tasks.`, {
        line: this.#line,
        limit: "batchTasksMax",
      });
    }
    this.#values.push(parseLine(bytes, this.#line));
    this.#lines.push(this.#line);
  }
}

function isBlank(line: Buffer): boolean {
  const bytes = line.subarray(0, byteOrderMark.length).equals(byteOrderMark)
    ? line.subarray(byteOrderMark.length)
    : line;
  // Spaces, tabs and the carriage return of a line that ends in CRLF.
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function parseLine(bytes: Buffer, line: number): Json {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    throw new OutlastError(error.code, `Line ${line}: ${error.message}`, { ...error.details, line });
  }
}
