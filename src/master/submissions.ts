/** Gives submissions their ids and fingerprints, so that the same wish expressed twice is one task. */
import { createHash } from "node:crypto";
import type { Json } from "../model/json.ts";
import type { TaskId } from "../model/ids.ts";
import { type Submission, toSpec } from "../model/submission.ts";
import type { TaskSpec } from "../model/task.ts";
import type { Ids } from "../ports/ids.ts";

/**
 * The specs of new tasks. Where the client named an id or a key, asking again leads to the same id, and the fingerprint
 * tells whether it was the same wish; docs/decisions tells why an idempotency key is turned into ids.
 * @throws OutlastError `invalid`, naming the place
 */
export function toSpecs(submissions: readonly Submission[], key: string | null, ids: Ids, now: number): TaskSpec[] {
  const isBatch = submissions.length > 1;
  return submissions.map((submission, index) => {
    const path = isBatch ? `/tasks/${index}` : "";
    const isNamed = submission.id !== undefined || key !== null;
    const id = (submission.id ?? (key === null ? ids.task(now) : idFromKey(key, index))) as TaskId;
    return toSpec(submission, { id, fingerprint: isNamed ? fingerprint(submission) : null, now }, path);
  });
}

function idFromKey(key: string, index: number): string {
  return `key-${digest(`${index}/${key}`, 22)}`;
}

function fingerprint(submission: Submission): string {
  return digest(canonical(submission as unknown as Json), 16);
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
