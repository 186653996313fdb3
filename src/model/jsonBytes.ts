/** The size of a value on the wire, without making its bytes. */
import type { Json } from "./json.ts";
import { utf8Bytes } from "./utf8.ts";

/** Bytes of `value` as JSON in UTF-8. */
export function jsonBytes(value: Json | undefined): number {
  if (value === undefined) return 0;
  return utf8Bytes(JSON.stringify(value));
}
