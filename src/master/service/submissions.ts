/** Gives submissions their ids and fingerprints, so that a repeated submission creates no second task. */
import { createHash } from "node:crypto";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { isObject } from "../../model/kinds/kind.ts";
import { inNormalForm } from "../../model/kinds/normalForm.ts";
import { type Submission, toSpec } from "../../model/submission.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";

const keyNameLength = 20;
const fingerprintLength = 16;
const base32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** What a new task is known by. */
interface Identity {
  readonly id: TaskId;
  readonly fingerprint: string | null;
  readonly now: number;
}

/**
 * The specs of new tasks. If the client sent an id or a key, a repeated request leads to the same id, and the fingerprint shows
 * whether its content is the same: of the one task if it has an id, of the whole request if it has a key.
 * @throws OutlastError `invalid`, naming the place
 */
export function toSpecs(
  given: readonly Submission[],
  key: string | null,
  { ids, clock }: { readonly ids: Ids; readonly clock: Pick<Clock, "now"> },
  traceparent?: string,
): TaskSpec[] {
  const now = clock.now();
  const submissions = given.map(inNormalForm);
  // The trace is not a part of what was asked for: a repeated request may belong to another one.
  const begin = (submission: Submission, identity: Identity, path: string) => {
    const spec = toSpec(submission, identity, path, { isNew: true });
    return traceparent === undefined ? spec : { ...spec, traceparent };
  };
  const isBatch = submissions.length > 1;
  const call = key === null ? null : { name: nameOf(key), fingerprint: fingerprint(submissions as unknown as Json) };
  return submissions.map((submission, index) => {
    const path = isBatch ? `/tasks/${index}` : "";
    if (submission.id !== undefined) {
      const print = fingerprint(submission as unknown as Json);
      return begin(submission, { id: submission.id as TaskId, fingerprint: print, now }, path);
    }
    if (call === null) return begin(submission, { id: ids.task(now), fingerprint: null, now }, path);
    // The tasks of one request share a prefix, so that they are neighbours in every index.
    const id = (isBatch ? `${call.name}-${index}` : call.name) as TaskId;
    return begin(submission, { id, fingerprint: call.fingerprint, now }, path);
  });
}

/** 100 bits of the key's digest in Crockford's base 32 (https://www.crockford.com/base32.html). */
function nameOf(key: string): string {
  const bytes = digest(key);
  let name = "";
  for (let index = 0; index < keyNameLength; index += 1) name += base32.charAt((bytes[index] ?? 0) & 31);
  return name;
}

/**
 * The id and fingerprint of one task that is asked for in another way than by a submission: `wish` is all that was asked for.
 */
export function toIdentity(wish: Json, id: string | undefined, key: string | null, ids: Ids, now: number): Identity {
  if (id !== undefined) return { id: id as TaskId, fingerprint: fingerprint(wish), now };
  if (key !== null) return { id: nameOf(key) as TaskId, fingerprint: fingerprint(wish), now };
  return { id: ids.task(now), fingerprint: null, now };
}

/** The content of a template or a schedule, which need not be valid, with its task in normal form. */
export function withNormalTask(content: Json): Json {
  if (!isObject(content) || !isObject(content["task"])) return content;
  return { ...content, task: inNormalForm(content["task"]) };
}

/** Equal for equal values, whatever the order of their keys. */
export function fingerprint(wish: Json): string {
  return digest(JSON.stringify(inOrder(wish)))
    .toString("base64url")
    .slice(0, fingerprintLength);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The value with sorted object keys, so that equal values have equal texts. Keys are never `__proto__`: bodies with it are refused. */
function inOrder(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const ordered: { [name: string]: Json } = {};
  for (const name of sortedKeys(value)) {
    const member = value[name];
    if (member !== undefined) ordered[name] = inOrder(member);
  }
  return ordered;
}

/** Objects are mostly small, and V8 copies a list several times to sort it: more than all else costs here. */
function sortedKeys(value: object): string[] {
  const names = Object.keys(value);
  if (names.length > smallLength) return names.sort();
  for (let end = 1; end < names.length; end += 1) {
    const name = names[end] as string;
    let at = end;
    for (; at > 0 && (names[at - 1] as string) > name; at -= 1) names[at] = names[at - 1] as string;
    names[at] = name;
  }
  return names;
}

/** Up to here an insertion sort is the cheapest. */
const smallLength = 12;
