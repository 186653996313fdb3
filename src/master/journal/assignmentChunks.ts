/** Divides assignments among messages of a bounded size: a worker takes no message that is larger than `limits.streamMessageBytesMax`. */
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { Assignment } from "../../model/protocol.ts";

/** In order; at least one chunk, and none is empty unless there are no assignments. One that is large by itself has a chunk of its own. */
export function toChunks(assignments: readonly Assignment[]): (readonly Assignment[])[] {
  const chunks: Assignment[][] = [[]];
  let length = 0;
  for (const assignment of assignments) {
    const own = textLength(assignment.input);
    const last = chunks.at(-1);
    if (last === undefined || (last.length > 0 && length + own > limits.assignTextMax)) {
      chunks.push([assignment]);
      length = own;
    } else {
      last.push(assignment);
      length += own;
    }
  }
  return chunks;
}

/** About as long as the value is as JSON, without making its text. */
function textLength(value: Json | undefined): number {
  if (typeof value === "string") return value.length + 2;
  if (value === null || typeof value !== "object") return 8;
  let length = 2;
  if (Array.isArray(value)) for (const item of value) length += 4 + textLength(item);
  else for (const key in value) length += key.length + 4 + textLength(value[key]);
  return length;
}
