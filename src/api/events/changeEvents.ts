/** Encodes committed changes as server-sent events: one message per record, one id per journal entry. */
import type { ChangeBatch } from "../../master/service/masterApi.ts";
import { descriptorOf } from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";
import type { TaskSpec, TaskStatus } from "../../model/task.ts";

/** Many subscribers get the same batch, so it is encoded once. */
const encoded = new WeakMap<ChangeBatch, Buffer>();

/**
 * Only the last message of a batch has an id, `id: <seq>`: a subscriber that was cut off in the middle resumes before the whole
 * batch, one that has received all of it resumes after it.
 */
export function encodeBatch(batch: ChangeBatch): Buffer {
  const known = encoded.get(batch);
  if (known !== undefined) return known;
  const bytes = encodeWrites(batch, batch.writes);
  encoded.set(batch, bytes);
  return bytes;
}

/** The same for some of a batch's writes. */
export function encodeWrites(batch: ChangeBatch, writes: readonly Write[]): Buffer {
  const messages = toMessages(batch, writes);
  // A batch without messages still moves the position to resume at. Clients do not dispatch an id without data.
  const last = messages.pop() ?? "";
  return Buffer.from(`${messages.map((message) => `${message}\n`).join("")}${last}id: ${batch.seq}\n\n`);
}

function toMessages(batch: ChangeBatch, writes: readonly Write[]): string[] {
  const specs = specsOf(batch);
  const messages: string[] = [];
  for (const write of writes) {
    const told = tell(write, batch, specs);
    if (told === null) continue;
    messages.push(sseMessage(told.event, { seq: batch.seq, at: batch.at, ...told.data }));
  }
  return messages;
}

/** Each batch may be encoded for many filters. */
const specsOfBatches = new WeakMap<ChangeBatch, ReadonlyMap<string, TaskSpec>>();

function specsOf(batch: ChangeBatch): ReadonlyMap<string, TaskSpec> {
  const known = specsOfBatches.get(batch);
  if (known !== undefined) return known;
  const specs = new Map<string, TaskSpec>();
  for (const write of batch.writes) if (write.kind === "spec") specs.set(write.spec.id, write.spec);
  specsOfBatches.set(batch, specs);
  return specs;
}

function tell(
  write: Write,
  batch: ChangeBatch,
  specs: ReadonlyMap<string, TaskSpec>,
): { event: string; data: object } | null {
  switch (write.kind) {
    case "spec":
      // Sent together with the status in the same entry.
      return null;
    case "status":
      return { event: "task", data: { ...specFields(specs.get(write.status.id)), ...statusFields(write.status) } };
    case "record":
      return descriptorOf(write.collection).toEvent(write.id, write.value);
    case "forget-task":
      return { event: "task", data: { id: write.id, isForgotten: true } };
    case "reopen-task":
    case "digest":
      // Only for masters.
      return null;
    case "marker":
      return { event: "leader", data: { epoch: batch.epoch, address: write.address } };
    default:
      return write satisfies never;
  }
}

/** The first event of a task carries the main fields of its spec; later events carry its status only. */
function specFields(spec: TaskSpec | undefined): object {
  if (spec === undefined) return {};
  const { name, queue, createdAt, startAt } = spec;
  return { name, queue, createdAt, startAt };
}

/** The status without the output, which may be large and can be read with a GET. */
function statusFields(status: TaskStatus): object {
  const { output: _output, ...fields } = status;
  return fields;
}

/** An SSE message without the empty line at its end. JSON text never contains a line break. */
export function sseMessage(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n`;
}
