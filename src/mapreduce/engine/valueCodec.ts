/** How a value that a map emits travels: small whole numbers in a few bytes, other numbers, texts, and anything else as JSON. */
import type { ByteReader } from "./byteReader.ts";
import { MalformedBytes } from "./byteReader.ts";
import type { ByteWriter } from "./byteWriter.ts";

const tags = { natural: 0, negative: 1, float: 2, text: 3, json: 4 } as const;

/** A value cannot be carried from map to reduce. */
export class UnfitValue extends Error {}

/** A value that is neither a number nor a text, as it travels. */
export class JsonText {
  readonly text: string;

  /** @throws UnfitValue */
  constructor(value: unknown) {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new UnfitValue(`A value must be JSON, and ${String(value)} is not.`);
    // JSON makes null of such a number, and says nothing.
    if (text.includes("null")) JSON.stringify(value, (_name, part: unknown) => checkedPart(part));
    this.text = text;
  }
}

/** What becomes part of a value: alone, any number travels as it is. @throws UnfitValue */
export function checkedPart<Part>(part: Part): Part {
  if (typeof part !== "number" || Number.isFinite(part)) return part;
  throw new UnfitValue(`A value must be JSON, and ${part} is not.`);
}

/** @throws UnfitValue */
export function writeValue(writer: ByteWriter, value: unknown): void {
  writeFit(writer, fitValue(value));
}

/** A value as `writeFit` takes it, whatever becomes of the value later. @throws UnfitValue */
export function fitValue(value: unknown): number | string | JsonText {
  return typeof value === "number" || typeof value === "string" ? value : new JsonText(value);
}

export function writeFit(writer: ByteWriter, value: number | string | JsonText): void {
  if (typeof value === "number") return writeNumber(writer, value);
  writer.byte(typeof value === "string" ? tags.text : tags.json);
  writer.sizedText(typeof value === "string" ? value : value.text);
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    writer.byte(value < 0 ? tags.negative : tags.natural);
    return writer.varint(Math.abs(value));
  }
  writer.byte(tags.float);
  writer.float64(value);
}

/** @throws MalformedBytes */
export function readValue(reader: ByteReader): unknown {
  const tag = reader.byte();
  switch (tag) {
    case tags.natural:
      return reader.varint();
    case tags.negative:
      return -reader.varint();
    case tags.float:
      return reader.float64();
    case tags.text:
      return reader.text(reader.varint());
    case tags.json:
      return JSON.parse(reader.text(reader.varint())) as unknown;
    default:
      throw new MalformedBytes(`no value begins with ${tag}`);
  }
}

/** Like `readValue` for a value that must be a number. */
export function readNumber(reader: ByteReader): number {
  const value = readValue(reader);
  if (typeof value !== "number") throw new MalformedBytes("a value is not a number");
  return value;
}

/** Passes over a value. @returns where it begins */
export function skipValue(reader: ByteReader): number {
  const from = reader.position;
  const tag = reader.byte();
  if (tag === tags.float) reader.skip(8);
  else if (tag === tags.text || tag === tags.json) reader.skip(reader.varint());
  else if (tag === tags.natural || tag === tags.negative) reader.varint();
  else throw new MalformedBytes(`no value begins with ${tag}`);
  return from;
}
