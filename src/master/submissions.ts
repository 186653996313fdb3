/** Gives submissions their ids and fingerprints, so that the same wish expressed twice is one task. */
import { createHash } from "node:crypto";
import type { Json } from "../model/json.ts";
import type { TaskId } from "../model/ids.ts";
import { type Submission, toSpec } from "../model/submission.ts";
import type { TaskSpec } from "../model/task.ts";
import type { Ids } from "../ports/ids.ts";

/**
 * The specs of new tasks. Where the client named an id or a key, asking again leads to the same id, and the fingerprint
 * tells whether it was the same wish: of the one task where it has an id, of the whole call where it has a key.
 * @throws OutlastError `invalid`, naming the place
 */
export function toSpecs(submissions: readonly Submission[], key: string | null, ids: Ids, now: number): TaskSpec[] {
  const isBatch = submissions.length > 1;
  const call = key === null ? null : { name: digest(key, 22), fingerprint: fingerprint(submissions) };
  return submissions.map((submission, index) => {
    const path = isBatch ? `/tasks/${index}` : "";
    if (submission.id !== undefined) {
      return toSpec(submission, { id: submission.id as TaskId, fingerprint: fingerprint(submission), now }, path);
    }
    if (call === null) return toSpec(submission, { id: ids.task(now), fingerprint: null, now }, path);
    // The tasks of one call share a prefix, so that they lie side by side in every index.
    return toSpec(submission, { id: `key-${call.name}-${index}` as TaskId, fingerprint: call.fingerprint, now }, path);
  });
}

function fingerprint(wish: Submission | readonly Submission[]): string {
  return digest(canonical(wish as unknown as Json), 16);
}

/** The first `length` characters of a SHA-256 in base64url: six bits each. */
function digest(text: string, length: number): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, length);
}

/** JSON with the keys of every object in order, so that equal wishes have equal texts. */
function canonical(value: Json | undefined): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}
