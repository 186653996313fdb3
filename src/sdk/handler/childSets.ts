/** Sets of children: creating them in chunks, resuming in the middle, and reading their results page by page. */
import { OutlastError } from "../../model/errors.ts";
import { type ChildResult, type ChildrenOutcome, foldItem, noItems, type OpenSet } from "../../model/family.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { ChildrenContent } from "../../model/protocol.ts";
import type { Submission } from "../../model/submission.ts";
import { type ChildCall, toSubmission } from "./call.ts";
import type { ChildResults, ChildrenOptions, TolerantChildrenOptions } from "./context.ts";
import { ChildFailedError, NonRetryableError } from "./errors.ts";
import { toJson } from "./jsonValue.ts";
import type { Requests } from "./requests.ts";

export type SetOptions = ChildrenOptions & Partial<TolerantChildrenOptions>;

/**
 * Creates what is missing of a set and seals it. Children that exist are not sent again, but their fingerprint is: the leader
 * refuses a set that has changed.
 */
export async function createChildren(
  key: string,
  calls: Iterable<ChildCall> | AsyncIterable<ChildCall>,
  options: SetOptions,
  open: OpenSet | undefined,
  requests: Requests,
): Promise<void> {
  const created = open?.created ?? 0;
  const how = setOptionsOf(options);
  let index = 0;
  let fingerprint = noItems;
  let before = noItems;
  let chunk: Submission[] = [];
  let chunkBytes = 0;
  const hand = async (isLast: boolean) => {
    const content: ChildrenContent = {
      kind: "children",
      key,
      first: index - chunk.length,
      submissions: chunk,
      before,
      isLast,
      ...how,
    };
    chunk = [];
    chunkBytes = 0;
    before = fingerprint;
    await requests.send(content);
  };
  for await (const call of calls) {
    if (index >= limits.childrenMax) {
      throw new NonRetryableError(
        `"${key}" has more than ${limits.childrenMax} children. Divide them among children that have children.`,
      );
    }
    const submission = await checkedSubmission(`Child ${index} of "${key}"`, call);
    if (index >= created) {
      const bytes = Buffer.byteLength(JSON.stringify(submission));
      const isFull = chunk.length >= limits.childrenPerItemMax || chunkBytes + bytes > limits.childrenItemBytesMax;
      if (isFull && chunk.length > 0) await hand(false);
      chunk.push(submission);
      chunkBytes += bytes;
    }
    fingerprint = foldItem(fingerprint, submission);
    index += 1;
    if (index === created) before = fingerprint;
  }
  if (index < created) {
    throw new NonRetryableError(
      `"${key}" has ${created} children from an earlier attempt, and this one makes only ${index}. Children of a key must stay the same.`,
    );
  }
  await hand(true);
}

function setOptionsOf({ concurrencyMax, failuresMax, onFailure, backups = false }: SetOptions) {
  const isBounded = failuresMax !== undefined && Number.isFinite(failuresMax);
  // Where any number may fail, nothing is ever cancelled because of that.
  const how = failuresMax === undefined ? (onFailure ?? "wait") : isBounded ? (onFailure ?? "cancel") : "wait";
  const bounds = { ...(concurrencyMax !== undefined && { concurrencyMax }), ...(isBounded && { failuresMax }) };
  return { onFailure: how, ...bounds, ...(backups && ({ backups } as const)) };
}

/** @throws NonRetryableError that names the task as `what` */
export async function checkedSubmission(what: string, call: ChildCall): Promise<Submission> {
  try {
    return toJson(await toSubmission(call), what) as unknown as Submission;
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    throw new NonRetryableError(`${what}: ${error.message}`, { cause: error });
  }
}

/** @throws ChildFailedError if more failed than may */
export function checkOutcome(key: string, outcome: ChildrenOutcome, failuresMax: number): void {
  const { failed, cancelled, firstFailed, total } = outcome;
  if (failed + cancelled <= failuresMax) return;
  if (firstFailed === undefined) {
    throw new ChildFailedError(key, null, `${cancelled} of ${total} children of "${key}" were cancelled.`);
  }
  const reason = firstFailed.error === undefined ? "." : `: ${firstFailed.error.message}`;
  const which =
    total === 1
      ? `Child ${firstFailed.id} of "${key}" failed`
      : `${failed} of ${total} children of "${key}" failed, first child ${firstFailed.index} (${firstFailed.id})`;
  throw new ChildFailedError(key, firstFailed, `${which}${reason}`);
}

/** The results in order, null for children that did not succeed. */
export function resultsOf(key: string, outcome: ChildrenOutcome, requests: Requests): ChildResults<Json> {
  const { total, succeeded, failed, cancelled, byBackup = 0 } = outcome;
  return {
    byBackup,
    total,
    succeeded,
    failed,
    cancelled,
    async *[Symbol.asyncIterator]() {
      for (let from: number | null = 0; from !== null && from < total; ) {
        const page = await requests.readChildren(key, from);
        for (const child of page.children) yield outputOf(child);
        from = page.next;
      }
    },
  };
}

function outputOf({ state, output = null }: ChildResult): Json {
  return state === "success" ? output : null;
}
