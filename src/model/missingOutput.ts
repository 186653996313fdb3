/** How people are told of output that has not come. */
import { counted } from "./counted.ts";

/** @param bytes how much; null where nobody knows */
export function missingOutput(bytes: number | null): string {
  return bytes === null
    ? "the worker was lost: what it wrote last may be missing here"
    : `${counted(bytes, "byte")} of the output ${bytes === 1 ? "is" : "are"} missing here: the worker has not sent ${bytes === 1 ? "it" : "them"}`;
}
