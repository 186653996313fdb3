/** What refers to blobs. Whoever names a blob renews its lease and takes its mark away, in the entry that names it. */
import { type BlobPin, type BlobRecord, blobsNamedIn, pinId } from "../../model/blob.ts";
import { nodesOf } from "../../model/graphs/references.ts";
import type { Json } from "../../model/json.ts";
import { execBlobsOf } from "../../model/kinds/exec.ts";
import { defaults } from "../../model/limits.ts";
import type { TaskHead, TaskSpec } from "../../model/task.ts";
import type { Batch, Reply } from "./effects.ts";
import { refuse, type SchedulerState } from "./state.ts";

/** Tasks, and submissions of tasks. */
type Needy = Pick<TaskSpec, "kind" | "input">;

/** A blob that a command needs and that is not there, of a graph any of its nodes; null if all are. */
export function missingBlobOf({ blobs }: SchedulerState, tasks: readonly Needy[]): string | null {
  for (const { kind, input } of tasks) {
    for (const sha256 of blobsNeededBy(kind, input)) if (blobs.recordOf(sha256) === null) return sha256;
  }
  return null;
}

/** Most tasks are of other kinds, and cost nothing here. */
function blobsNeededBy(kind: Json, input: Json): Iterable<string> {
  if (kind === "exec") return execBlobsOf(input);
  return kind === "graph" ? blobsOfNodes(input) : [];
}

function* blobsOfNodes(graph: Json): Generator<string> {
  for (const [, node] of nodesOf(graph)) yield* blobsNeededBy(node["kind"] ?? null, node["input"] ?? null);
}

/** Why tasks cannot be made whose commands need what is not there; null if all of it is. */
export function refuseMissingBlob(state: SchedulerState, tasks: readonly Needy[]): Reply | null {
  const missing = missingBlobOf(state, tasks);
  if (missing === null) return null;
  const message = `There is no blob ${missing}. Upload it (again), then submit.`;
  return refuse("invalid", message, undefined, { blob: missing });
}

type Owner = Pick<TaskHead, "id" | "createdAt">;

/** Keeps the blobs that `value` names, as far as they are there, as long as the task. */
export function pinBlobs(state: SchedulerState, batch: Batch, owner: Owner, value: Json): void {
  if (state.blobs.size === 0) return;
  for (const sha256 of blobsNamedIn(value)) pinBlob(state, batch, owner, sha256, null);
}

/** @param attempt of an artifact: it is kept only as long as this attempt may be the committed one; null for any other blob */
export function pinBlob(
  state: SchedulerState,
  batch: Batch,
  { id: task, createdAt }: Owner,
  sha256: string,
  attempt: number | null,
): void {
  if (!nameBlob(state, batch, sha256)) return;
  const pin: BlobPin = { task, createdAt, ...(attempt !== null && { attempt }) };
  batch.out.writes.push({ kind: "record", collection: "blobPins", id: pinId(sha256, pin), value: pin });
}

/** For what is found again by itself when blobs are collected: templates and schedules. */
export function nameBlobsIn(state: SchedulerState, batch: Batch, value: Json): void {
  if (state.blobs.size === 0) return;
  for (const sha256 of blobsNamedIn(value)) nameBlob(state, batch, sha256);
}

/** @returns false if there is no such blob */
function nameBlob({ blobs }: SchedulerState, batch: Batch, sha256: string): boolean {
  const record = blobs.recordOf(sha256);
  if (record === null) return false;
  // The collector looks only at leases that are over, so a long one need not be renewed each time.
  const isLong = record.leasedUntil - batch.now > defaults.blobLeaseMs / 2;
  if (!isLong || record.removeAt !== undefined) blobs.write(batch, sha256, leased(record, batch.now));
  return true;
}

/** With a new lease, and without a mark. */
export function leased({ size, object, leasedUntil }: BlobRecord, now: number): BlobRecord {
  return { size, object, leasedUntil: Math.max(leasedUntil, now + defaults.blobLeaseMs) };
}
