/** How many bytes inputs will add to the journal's entry, counted before they are taken: an entry has a bound that nothing may pass. */
import type { FinishedTree, SchedulerInput } from "../../core/scheduler/inputs.ts";
import { blobsNamedIn } from "../../model/blob.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { ReportItem } from "../../model/protocol.ts";
import type { TaskSpec } from "../../model/task.ts";

/** Up to this size an estimate, which is never too low, is good enough; larger values are encoded to be counted. */
const estimateBytesMax = 4096;

/** Bytes of a value as JSON in UTF-8, or more. */
export function jsonBytes(value: unknown): number {
  const estimate = estimateBytes(value as Json);
  return estimate <= estimateBytesMax ? estimate : Buffer.byteLength(JSON.stringify(value));
}

/** What stands around a spec and its first status in the entry, and in the status itself, besides the id. */
const firstStatusBytes = 256;

/** Bytes of the writes that create these tasks: an estimate that is never too low, and the count itself where that matters. */
export function bytesOfSpecs(specs: readonly TaskSpec[]): number {
  const known = bytesOfCounted.get(specs);
  if (known !== undefined) return known;
  const bytes = countSpecs(specs);
  bytesOfCounted.set(specs, bytes);
  return bytes;
}

/** A submission is counted when it is checked, and once more when it is taken into a batch. */
const bytesOfCounted = new WeakMap<readonly TaskSpec[], number>();

function countSpecs(specs: readonly TaskSpec[]): number {
  const sumOf = (bytesOf: (spec: TaskSpec) => number): number =>
    specs.reduce((sum, spec) => sum + bytesOf(spec) + firstStatusBytes + spec.id.length + bytesOfPins(spec.input), 0);
  const estimate = sumOf(jsonBytes);
  return estimate <= limits.submissionBytesMax ? estimate : sumOf((spec) => Buffer.byteLength(JSON.stringify(spec)));
}

/** What keeps one blob that is named: the pin, and the blob's own record with a new lease. */
const pinBytes = 1024;

function bytesOfPins(value: Json | undefined): number {
  return value === undefined ? 0 : blobsNamedIn(value).length * pinBytes;
}

/** Bytes of the writes that one input leads to, or more. How many attempts end with a worker only the scheduler knows. */
export function bytesOfInput(input: SchedulerInput): number {
  return bytesOf(input) + (input.by === undefined ? 0 : limits.auditRecordBytesMax);
}

/** What stands around the head of a task that is open again, and in its status besides what was there. */
const reopenedBytes = 192;

/** Of each task its head and its status are written, and its last attempt if it had one; of each set its record, once or twice. */
export function bytesOfRetry({ tasks, sets }: FinishedTree): number {
  const sumOf = (bytesOf: (value: unknown) => number): number =>
    tasks.reduce((sum, { head, status }) => {
      return sum + bytesOf(head) + (status.attempt > 0 ? 2 : 1) * (bytesOf(status) + reopenedBytes);
    }, 0) + sets.reduce((sum, { record }) => sum + 2 * bytesOf(record) + limits.statusBytesMax, 0);
  const estimate = sumOf(jsonBytes);
  return estimate <= limits.submissionBytesMax ? estimate : sumOf((value) => Buffer.byteLength(JSON.stringify(value)));
}

function bytesOf(input: SchedulerInput): number {
  switch (input.kind) {
    case "submit":
      return bytesOfSpecs(input.specs);
    case "report":
      return input.items.reduce((sum, item) => sum + bytesOfItem(item), 0);
    case "put-template":
      return jsonBytes(input.content) + limits.statusBytesMax + bytesOfPins(input.content as unknown as Json);
    case "put-schedule":
      return jsonBytes(input.schedule) + limits.statusBytesMax + bytesOfPins(input.schedule.task as unknown as Json);
    case "input-resolved":
      return jsonBytes(input) + 2 * limits.statusBytesMax + ("input" in input ? bytesOfPins(input.input) : 0);
    case "put-webhook":
      return jsonBytes(input.content) + limits.statusBytesMax;
    case "remove-webhook":
      return limits.undeliveredMax * recordBytes + limits.statusBytesMax;
    case "note-deliveries":
      return 2 * input.outcomes.length * limits.statusBytesMax;
    case "signal":
      return limits.statusBytesMax + bytesOfPins(input.signal.payload);
    case "graph-concluded":
      return jsonBytes(input) + 2 * limits.statusBytesMax;
    case "add-user":
    case "change-user":
    case "add-token":
      return principalBytesMax;
    case "remove-user":
      return limits.statusBytesMax * (1 + limits.sessionsPerUserMax);
    case "note-refusals":
      return input.refusals.length * limits.auditRecordBytesMax;
    case "forget-audit":
      return input.ids.length * limits.statusBytesMax;
    case "retry":
      return bytesOfRetry(input.found);
    case "collect-blobs":
      return input.seen.reduce((sum, { deadPins }) => sum + 1 + deadPins.length, 0) * limits.statusBytesMax;
    case "forget":
    case "delete-many":
      return input.tasks.length * limits.statusBytesMax;
    case "cancel":
      return 2 * limits.statusBytesMax;
    case "cancel-many":
      return 2 * input.ids.length * limits.statusBytesMax;
    case "process-ended":
      return jsonBytes(input.record) + limits.statusBytesMax;
    default:
      return limits.statusBytesMax;
  }
}

/** A record that is removed. */
const recordBytes = 256;

/** A user or a token with its queues, and the sessions that end because of it. */
const principalBytesMax = limits.statusBytesMax * (4 + limits.sessionsPerUserMax);

/** Cuts the items of a report into parts that an entry takes; all of them in order. */
export function partsOf(items: readonly ReportItem[]): readonly (readonly ReportItem[])[] {
  const parts: ReportItem[][] = [];
  let bytes = 0;
  for (const item of items) {
    const itemBytes = bytesOfItem(item);
    const last = parts.at(-1);
    if (last === undefined || bytes + itemBytes > limits.entryFillBytes) {
      parts.push([item]);
      bytes = itemBytes;
    } else {
      last.push(item);
      bytes += itemBytes;
    }
  }
  return parts;
}

/**
 * An item changes a status and may write one record more. One that brings tasks makes each of them larger: it gets a spec with
 * its limits and rights, a status, and a place in its family.
 */
export function bytesOfItem(item: ReportItem): number {
  const files = item.kind === "artifacts" ? item.files.length : 0;
  return ownBytes(item) + limits.statusBytesMax * (2 + 5 * tasksOf(item) + files) + files * pinBytes;
}

/** With the pins of blobs that it names. Most items hold names and numbers only, which need no look. */
function ownBytes(item: ReportItem): number {
  const isPlain =
    item.kind === "started" || (item.kind === "result" && item.output === undefined && item.error === undefined);
  if (isPlain && !("waits" in item) && !("exit" in item)) return limits.statusBytesMax;
  return jsonBytes(item) + bytesOfPins(item as unknown as Json);
}

function tasksOf(item: ReportItem): number {
  if (item.kind === "children") return item.submissions.length;
  return item.kind === "submit" ? 1 : 0;
}

/** At least the length of a value's JSON text in bytes. Values are as deep as `limits.jsonDepthMax` at most. */
function estimateBytes(value: Json | undefined): number {
  if (typeof value === "string") return textBytes(value);
  // The longest number is like -1.2345678901234567e-300.
  if (value === null || typeof value !== "object") return 25;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += estimateBytes(item) + 1;
  else for (const name of Object.keys(value)) bytes += textBytes(name) + 2 + estimateBytes(value[name]);
  return bytes;
}

/** One byte a character, and nothing to escape. */
const plain = /^[ !#-[\]-~]*$/;

function textBytes(text: string): number {
  // Any other character may become an escape of six bytes.
  return (text.length > estimateBytesMax || !plain.test(text) ? 6 : 1) * text.length + 2;
}
