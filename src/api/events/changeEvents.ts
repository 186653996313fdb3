/** How committed changes are told to subscribers: one SSE message per record, and one id per journal entry. */
import type { ChangeBatch } from "../../master/service/masterApi.ts";
import { descriptorOf } from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";
import type { TaskSpec, TaskStatus } from "../../model/task.ts";

/** Many subscribers get the same batch: its bytes are made once. */
const encoded = new WeakMap<ChangeBatch, Buffer>();

/**
 * The id, `id: <seq>`, stands on the last message of the batch only: a subscriber that was cut in the middle
 * resumes before the whole batch, one that has seen its end resumes behind it.
 */
export function encodeBatch(batch: ChangeBatch): Buffer {
  const known = encoded.get(batch);
  if (known !== undefined) return known;
  const messages = toMessages(batch);
  // A batch that tells nothing still moves the place to resume at: an id without data is dispatched to nobody.
  const last = messages.pop() ?? "";
  const bytes = Buffer.from(`${messages.map((message) => `${message}\n`).join("")}${last}id: ${batch.seq}\n\n`);
  encoded.set(batch, bytes);
  return bytes;
}

function toMessages(batch: ChangeBatch): string[] {
  const specs = new Map<string, TaskSpec>();
  const messages: string[] = [];
  for (const write of batch.writes) {
    if (write.kind === "spec") specs.set(write.spec.id, write.spec);
  }
  for (const write of batch.writes) {
    const told = tell(write, batch, specs);
    if (told === null) continue;
    messages.push(sseMessage(told.event, { seq: batch.seq, at: batch.at, ...told.data }));
  }
  return messages;
}

function tell(
  write: Write,
  batch: ChangeBatch,
  specs: ReadonlyMap<string, TaskSpec>,
): { event: string; data: object } | null {
  switch (write.kind) {
    case "spec":
      // Told with the status that comes in the same entry.
      return null;
    case "status":
      return { event: "task", data: { ...specFields(specs.get(write.status.id)), ...statusFields(write.status) } };
    case "record":
      return descriptorOf(write.collection).toEvent(write.id, write.value);
    case "forget-task":
      return { event: "task", data: { id: write.id, isForgotten: true } };
    case "digest":
      // Between masters only.
      return null;
    case "marker":
      return { event: "leader", data: { epoch: batch.epoch, address: write.address } };
    default:
      return write satisfies never;
  }
}

/** What is known of a task's spec is known at its creation only; later events carry its status alone. */
function specFields(spec: TaskSpec | undefined): object {
  if (spec === undefined) return {};
  const { name, queue, createdAt, startAt } = spec;
  return { name, queue, createdAt, startAt };
}

/** The whole status but the output, which may be large and is a GET away. */
function statusFields(status: TaskStatus): object {
  const { output: _output, ...fields } = status;
  return fields;
}

/** An SSE message without the empty line that ends it. JSON text never holds a line break. */
export function sseMessage(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n`;
}
