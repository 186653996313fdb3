/** A task as a document: fields for people at the top, and under `outlast` all that is ever read back, with checksums. */

import { crc32 } from "node:zlib";
import type { Document } from "mongodb";
import { attemptEndOf } from "../../model/attemptRecord.ts";
import type { TaskId, WorkerId } from "../../model/ids.ts";
import type { TaskSpec, TaskState, TaskStatus } from "../../model/task.ts";
import { StoreRefused } from "../../ports/store.ts";
import { toSpec, toStatus } from "../documents.ts";
import { retainedSince } from "../familyRetention.ts";
import type { Connection, StoredDocument, TaskKey } from "./connection.ts";
import { isWhole, type PendingTask, type WholeTask } from "./overlay.ts";

/** In the place of a state: the task was forgotten, and this keeps late writes from bringing it back. */
export const forgottenState = "forgotten";

/** A task as it is read: from its document, from entries that are not in the view yet, or from both. */
export interface TaskRow {
  readonly id: TaskId;
  readonly ord: number;
  readonly name: string;
  readonly parent: TaskId | null;
  readonly queue: string;
  readonly state: TaskState;
  readonly host: WorkerId | null;
  readonly fingerprint: string | null;
  readonly specText: string;
  readonly statusText: string;
  /** Of the entry that wrote the status. */
  readonly seq: number;
}

const objectIdPattern = /^[0-9a-f]{24}$/;

/** `_id` of a task's document. An id that looks like an ObjectId is one, whoever made it up: so no two documents share a task's id. */
export function toKey(id: TaskId, { toObjectId }: Pick<Connection, "toObjectId">): TaskKey {
  return objectIdPattern.test(id) ? toObjectId(id) : id;
}

export function toTaskId(key: TaskKey): TaskId {
  return (typeof key === "string" ? key : key.toHexString()) as TaskId;
}

/** The seq of the last entry that changed this document; null if it is not ours. */
export function seqOf(document: Document | null): number | null {
  const { seq } = halfOf(document);
  return typeof seq === "number" ? seq : null;
}

/** What is under `outlast`; nothing for a document that is not ours. */
export function halfOf(document: Document | null): { readonly [field: string]: unknown } {
  const half: unknown = document?.["outlast"];
  return typeof half === "object" && half !== null ? (half as { readonly [field: string]: unknown }) : {};
}

export function encodeTask(task: WholeTask, key: TaskKey): StoredDocument {
  const { spec, specText, statusText, statusSeq, ord, seq } = task;
  const { id, name, kind, input, queue, priority, createdAt, fingerprint } = spec;
  const seconds = kind === "sleep" ? (input as { seconds?: unknown }).seconds : undefined;
  return {
    _id: key,
    taskname: name,
    ...(typeof seconds === "number" ? { sleeptime: seconds } : {}),
    ...fieldsOf(task.status),
    kind,
    queue,
    priority,
    createdAt: new Date(createdAt),
    outlast: {
      seq,
      statusSeq,
      ord,
      state: task.status.state,
      queue,
      // Most tasks are named like their id, and cost nothing in that index.
      ...(name === id ? {} : { name }),
      host: task.status.host ?? null,
      parent: spec.parent ?? null,
      ...toEndedAt("endedAt", id, task.status),
      ...toAttemptEnd("attemptEndedAt", task.status),
      fingerprint,
      spec: specText,
      specCrc: specSum(id, ord, specText),
      status: statusText,
      statusCrc: statusSum(id, statusSeq, statusText),
    },
  };
}

/** What a new status changes in a document. */
export function encodeStatus(id: TaskId, { status, statusText, statusSeq, seq }: PendingTask): Document {
  if (status === null) return { "outlast.seq": seq };
  const { state, host, attempt, changedAt, error } = fieldsOf(status);
  return {
    state,
    host,
    attempt,
    changedAt,
    error,
    "outlast.seq": seq,
    "outlast.statusSeq": statusSeq,
    "outlast.state": status.state,
    "outlast.host": status.host ?? null,
    ...toEndedAt("outlast.endedAt", id, status),
    ...toAttemptEnd("outlast.attemptEndedAt", status),
    "outlast.status": statusText,
    "outlast.statusCrc": statusSum(id, statusSeq, statusText),
  };
}

/** What a rewritten spec changes in a document. */
export function encodeSpec(id: TaskId, ord: number, spec: TaskSpec, specText: string): Document {
  return {
    taskname: spec.name,
    queue: spec.queue,
    "outlast.queue": spec.queue,
    "outlast.name": spec.name,
    "outlast.fingerprint": spec.fingerprint,
    "outlast.spec": specText,
    "outlast.specCrc": specSum(id, ord, specText),
  };
}

export function encodeTombstone(key: TaskKey, { seq, at }: PendingTask): StoredDocument {
  return { _id: key, state: forgottenState, outlast: { seq, state: forgottenState, goneAt: at } };
}

/** Null for a tombstone and for a document that is not ours. @throws StoreRefused if its private half was changed */
export function decodeTask(document: Document | null): TaskRow | null {
  if (document === null || seqOf(document) === null) return null;
  const half = halfOf(document);
  if (half["state"] === forgottenState) return null;
  const id = toTaskId(document["_id"] as TaskKey);
  const { ord, spec, status, statusSeq } = half;
  if (
    typeof ord !== "number" ||
    typeof statusSeq !== "number" ||
    typeof spec !== "string" ||
    typeof status !== "string" ||
    specSum(id, ord, spec) !== half["specCrc"] ||
    statusSum(id, statusSeq, status) !== half["statusCrc"]
  ) {
    throw new StoreRefused(
      `The document of task ${id} is damaged: what stands under "outlast" does not match its checksums.`,
      "Something other than Outlast has changed it. Put it back from a backup; fields at the top may be edited, these may not.",
    );
  }
  const { name, queue, fingerprint, parent = null } = toSpec(spec);
  const { state, host } = toStatus(status);
  return {
    id,
    ord,
    name,
    parent,
    queue,
    fingerprint,
    state,
    host: host ?? null,
    specText: spec,
    statusText: status,
    seq: statusSeq,
  };
}

/** A task as it stands now: its document, overlaid with what entries say that came later. */
export function overlaid(id: TaskId, pending: PendingTask | undefined, document: Document | null): TaskRow | null {
  if (pending === undefined) return decodeTask(document);
  const seq = seqOf(document);
  if (seq !== null && seq >= pending.seq) return decodeTask(document);
  if (isWhole(pending)) return toRow(id, pending.ord, pending.specText, pending.statusText, pending.statusSeq);
  if (pending.isReborn) return null;
  const row = decodeTask(document);
  if (row === null) return null;
  return toRow(
    id,
    row.ord,
    pending.spec === null ? row.specText : pending.specText,
    pending.status === null ? row.statusText : pending.statusText,
    pending.status === null ? row.seq : pending.statusSeq,
  );
}

function toRow(id: TaskId, ord: number, specText: string, statusText: string, seq: number): TaskRow {
  const { name, queue, fingerprint, parent = null } = toSpec(specText);
  const { state, host } = toStatus(statusText);
  return { id, ord, name, parent, queue, fingerprint, state, host: host ?? null, specText, statusText, seq };
}

function fieldsOf({ state, host, attempt, changedAt, error }: TaskStatus): {
  readonly state: TaskState;
  readonly host: string | null;
  readonly attempt: number;
  readonly changedAt: Date;
  readonly error: string | null;
} {
  return { state, host: host ?? null, attempt, changedAt: new Date(changedAt), error: error?.message ?? null };
}

function specSum(id: string, ord: number, text: string): number {
  return crc32(`${id} ${ord} ${text}`);
}

function statusSum(id: string, seq: number, text: string): number {
  return crc32(`${id} ${seq} ${text}`);
}

/** The field that retention goes by; left out where the task has not ended, or goes with its root. */
function toEndedAt(field: string, id: TaskId, status: TaskStatus): Document {
  const endedAt = retainedSince(id, status);
  return endedAt === null ? {} : { [field]: endedAt };
}

/** The field that attempts are found by; left out as long as it never had a value, so that it costs nothing in its index. */
function toAttemptEnd(field: string, status: TaskStatus): Document {
  const endedAt = attemptEndOf(status);
  const neverHad = status.attempt <= 1 && status.isRecorded !== true;
  return endedAt === null && neverHad ? {} : { [field]: endedAt };
}
