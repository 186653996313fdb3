/** From the JSON texts that stores keep to the shapes that callers read. */
import type { TaskDocument, TaskHead, TaskPayload, TaskSpec, TaskStatus } from "../model/task.ts";
import type { QueueRecord, WorkerRecord } from "../model/worker.ts";
import { StoreRefused } from "../ports/store.ts";

/** @throws StoreRefused if the text is no JSON: something other than Outlast has changed it */
function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StoreRefused(
      `The store holds a damaged ${what}: ${text.slice(0, 80)}`,
      "Look at the damage with `outlast doctor`, then restore the store from a backup.",
      { cause: error },
    );
  }
}

export function toSpec(text: string): TaskSpec {
  return parse(text, "task") as TaskSpec;
}

export function toStatus(text: string): TaskStatus {
  return parse(text, "status") as TaskStatus;
}

export function toWorker(text: string): WorkerRecord {
  return parse(text, "worker") as WorkerRecord;
}

export function toQueue(text: string): QueueRecord {
  return parse(text, "queue") as QueueRecord;
}

export function toDocument(spec: string, status: string): TaskDocument {
  return { ...toSpec(spec), ...toStatus(status) };
}

/** Without the payload, which would fill the leader's memory. */
export function toHead(text: string): TaskHead {
  const { id, queue, priority, createdAt, startAt, limits, fingerprint } = toSpec(text);
  return { id, queue, priority, createdAt, startAt, limits, fingerprint };
}

export function toPayload(text: string): TaskPayload {
  const { name, kind, input } = toSpec(text);
  return { name, kind, input };
}
