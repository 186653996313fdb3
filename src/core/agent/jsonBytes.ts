/** The size of a value on the wire, without making its bytes. */
import type { Json } from "../../model/json.ts";

/** Bytes of `value` as JSON in UTF-8. */
export function jsonBytes(value: Json | undefined): number {
  if (value === undefined) return 0;
  const text = JSON.stringify(value);
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // A surrogate is half of a pair that takes four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
