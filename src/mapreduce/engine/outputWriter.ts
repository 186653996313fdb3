/** Writes a part of the output: a line per key and value, as tab-separated text or as JSON. */
import { ByteWriter } from "./byteWriter.ts";
import type { Sink } from "./segment.ts";

export type OutputFormat = "tsv" | "jsonl";

const flushBytes = 256 * 1024;
const tab = 9;
const lineFeed = 10;
const carriageReturn = 13;
const backslash = 92;

export class OutputWriter {
  readonly #format: OutputFormat;
  readonly #sink: Sink;
  readonly #lines = new ByteWriter(flushBytes + 64 * 1024);
  #records = 0;
  #bytes = 0;

  constructor(format: OutputFormat, sink: Sink) {
    this.#format = format;
    this.#sink = sink;
  }

  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes + this.#lines.length;
  }

  /** In `tsv`, tabs, line ends and backslashes within a key or a text are written as `\t`, `\n`, `\r` and `\\`. */
  write(keys: Buffer, start: number, length: number, value: unknown): void {
    if (this.#format === "tsv") this.#tsv(keys, start, length, value);
    else {
      const key = keys.toString("utf8", start, start + length);
      this.#lines.text(`${JSON.stringify({ key, value })}\n`);
    }
    this.#records += 1;
    if (this.#lines.length >= flushBytes) this.#flush();
  }

  end(): void {
    if (this.#lines.length > 0) this.#flush();
  }

  #tsv(keys: Buffer, start: number, length: number, value: unknown): void {
    if (isPlain(keys, start, start + length)) this.#lines.append(keys, start, start + length);
    else this.#escapedKey(keys, start, length);
    this.#lines.byte(tab);
    const text = typeof value === "string" ? escapeText(value) : (JSON.stringify(value) ?? "");
    this.#lines.text(text);
    this.#lines.byte(lineFeed);
  }

  /** Byte by byte, since a key need not be UTF-8; within UTF-8, none of those that are escaped is part of another character. */
  #escapedKey(keys: Buffer, start: number, length: number): void {
    const escaped = Buffer.from(escapeText(keys.toString("latin1", start, start + length)), "latin1");
    this.#lines.append(escaped, 0, escaped.length);
  }

  #flush(): void {
    this.#sink(this.#lines.view());
    this.#bytes += this.#lines.length;
    this.#lines.clear();
  }
}

function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index];
    if (byte === tab || byte === lineFeed || byte === carriageReturn || byte === backslash) return false;
  }
  return true;
}

const escapes: { readonly [character: string]: string } = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\" };

function escapeText(text: string): string {
  return text.replace(/[\t\n\r\\]/g, (character) => escapes[character] ?? character);
}
