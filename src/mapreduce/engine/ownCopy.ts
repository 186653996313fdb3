/** Values that a map emits, as JSON holds them: copies that are the engine's own, and what they take up in memory. */
import { JsonText } from "./valueCodec.ts";

/**
 * A map may change what it has emitted, or emit it once more, and a combiner may change what it is given: neither must reach the value of
 * another key. @throws UnfitValue
 */
export function ownCopy(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null)
    return value;
  return JSON.parse(new JsonText(value).text) as unknown;
}

/** Besides its characters, fields or items, in bytes; roughly. */
const objectBytes = 48;
const fieldBytes = 16;

/** What a value takes up on the heap, roughly. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return objectBytes + 2 * value.length;
  if (typeof value !== "object" || value === null) return 0;
  let bytes = objectBytes;
  if (Array.isArray(value)) for (const item of value) bytes += fieldBytes + sizeOf(item);
  else {
    const fields = value as { readonly [name: string]: unknown };
    for (const name in fields) bytes += fieldBytes + sizeOf(fields[name]);
  }
  return bytes;
}
