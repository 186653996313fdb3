/** Cuts a long list of submissions into requests that a master accepts. */
import { createHash } from "node:crypto";
import { OutlastError } from "../model/errors.ts";
import { limits } from "../model/limits.ts";
import type { Submission } from "../model/submission.ts";
import type { SubmitAllOptions, Submitted } from "./callOptions.ts";

export interface Batch {
  /** How many submissions stand before it. */
  readonly offset: number;
  readonly length: number;
  /** The request's body, `{ tasks: […] }`. */
  readonly body: string;
}

/** What a master adds to a submission in its journal: names, limits, a first status. */
const taskFrameBytes = 800;

const head = '{"tasks":[';
const tail = "]}";

/**
 * Batches of at most `limits.batchTasksMax` tasks and `limits.batchBodyBytesMax` bytes, in order, that a master takes as one
 * submission. The same list always
 * gives the same batches: that is what makes a key for each of them repeatable.
 * @throws OutlastError `too-large` for a submission that no request can hold
 */
export function* toBatches(
  submissions: Iterable<Submission>,
  bounds: { readonly tasksMax: number; readonly bytesMax: number; readonly journalBytesMax?: number } = {
    tasksMax: limits.batchTasksMax,
    bytesMax: limits.batchBodyBytesMax,
    journalBytesMax: limits.submissionBytesMax,
  },
): Generator<Batch> {
  const encoder = new TextEncoder();
  const emptyBytes = head.length + tail.length;
  let texts: string[] = [];
  let bytes = emptyBytes;
  let journalBytes = 0;
  let offset = 0;
  for (const submission of submissions) {
    const text = JSON.stringify(submission);
    const textBytes = encoder.encode(text).length + 1;
    if (emptyBytes + textBytes > bounds.bytesMax) {
      throw new OutlastError(
        "too-large",
        `Task ${offset + texts.length + 1} of the list is larger than ${bounds.bytesMax} bytes.`,
        {
          path: `/tasks/${offset + texts.length}`,
          limit: "batchBodyBytesMax",
        },
      );
    }
    const taskBytes = textBytes + taskFrameBytes;
    const isFull =
      texts.length >= bounds.tasksMax ||
      bytes + textBytes > bounds.bytesMax ||
      journalBytes + taskBytes > (bounds.journalBytesMax ?? Number.POSITIVE_INFINITY);
    if (texts.length > 0 && isFull) {
      yield { offset, length: texts.length, body: head + texts.join(",") + tail };
      offset += texts.length;
      texts = [];
      bytes = emptyBytes;
      journalBytes = 0;
    }
    texts.push(text);
    bytes += textBytes;
    journalBytes += taskBytes;
  }
  if (texts.length > 0) yield { offset, length: texts.length, body: head + texts.join(",") + tail };
}

/** One key for each request of a call, made from the call's own. */
export function keysOfCall(key: string, batchCount: number): (batch: Batch) => string {
  return (batch) => (batchCount === 1 ? key : shortKey(`${key}:${batch.offset}`));
}

/** Keys that depend on what is submitted and where it stands in the list, and not on who submits it. */
export function keysOfContent(prefix: string | undefined): (batch: Batch) => string {
  return ({ offset, body }) => `content:${hash(`${prefix ?? ""}\n${offset}\n${body}`)}`;
}

/** Where in the whole list the error's task stands, as a JSON pointer; null if it names none. */
export function pathInList(error: OutlastError, batch: Batch, submissions: readonly Submission[]): string | null {
  const named = /^\/tasks\/(\d+)(.*)$/s.exec(error.details.path ?? "");
  if (named !== null) return `/tasks/${batch.offset + Number(named[1])}${named[2]}`;
  const { id } = error.details;
  if (id === undefined) return null;
  const inBatch = submissions.slice(batch.offset, batch.offset + batch.length);
  const index = inBatch.findIndex((submission) => submission.id === id);
  return index < 0 ? null : `/tasks/${batch.offset + index}`;
}

/** A key that is as long as masters take, whatever it was made from. */
function shortKey(text: string): string {
  return text.length <= limits.idempotencyKeyLengthMax ? text : `long:${hash(text)}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** What neither an id nor a key of the caller's names cannot have been there: a try of this very call, whose answer got lost, made it. */
export function asOfThisCall(
  task: Submitted,
  submission: Submission | undefined,
  { key, once }: SubmitAllOptions,
): Submitted {
  if (task.isExisting === true) return task;
  return key === undefined && once !== true && submission?.id === undefined ? { ...task, isNew: true } : task;
}
