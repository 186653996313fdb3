/** Which bytes of an object a range means. */
import type { ByteRange } from "../ports/blobs.ts";

/** Within the object, whatever the range says; the whole of it without one. */
export function spanOf(range: ByteRange | undefined, size: number): { readonly from: number; readonly until: number } {
  const from = Math.min(range?.from ?? 0, size);
  return { from, until: Math.max(from, Math.min(range?.until ?? size, size)) };
}
