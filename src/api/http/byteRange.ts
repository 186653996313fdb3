/** The `Range` header of a download (RFC 9110, 14.2). */
import { OutlastError } from "../../model/errors.ts";
import type { ByteRange } from "../../ports/blobs.ts";

const single = /^bytes=(\d{0,16})-(\d{0,16})$/;

/**
 * The part that is asked for; null for all of it: no range, or one that may be ignored, such as several at once.
 * @throws OutlastError `bad-range` if nothing of it is in the file
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | null {
  const [, first = "", last = ""] = single.exec(header?.replaceAll(" ", "") ?? "") ?? [];
  if (first === "" && last === "") return null;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const until = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  // A last byte before the first is no range at all, and ignored.
  if (first !== "" && last !== "" && Number(last) < from) return null;
  if (from < until) return { from, until };
  throw new OutlastError("bad-range", `The file has ${size} bytes; the range lies behind its end.`, { size });
}
