/** From the JSON texts that stores keep to the shapes that callers read. */
import { type CollectionName, isCollection, problemOfRecord, type RecordValue } from "../model/collections/table.ts";
import type { TaskDocument, TaskHead, TaskPayload, TaskSpec, TaskStatus } from "../model/task.ts";
import { StoreRefused } from "../ports/store.ts";

const whatToDo = "Look at the damage with `outlast doctor`, then restore the store from a backup.";

/** @throws StoreRefused if the text is no JSON: something other than Outlast has changed it */
function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StoreRefused(`The store holds a damaged ${what}: ${text.slice(0, 80)}`, whatToDo, { cause: error });
  }
}

export function toSpec(text: string): TaskSpec {
  return parse(text, "task") as TaskSpec;
}

export function toStatus(text: string): TaskStatus {
  return parse(text, "status") as TaskStatus;
}

/**
 * A collection that this version does not know is kept as it is.
 * @throws StoreRefused for a value that does not fit its collection: something other than Outlast has changed it
 */
export function toRecord<Name extends CollectionName>(collection: Name, id: string, text: string): RecordValue<Name> {
  const value = parse(text, "record");
  const problem = isCollection(collection) ? problemOfRecord(collection, id, value) : null;
  if (problem !== null) throw new StoreRefused(`The store holds a damaged record. ${problem}`, whatToDo);
  return value as RecordValue<Name>;
}

export function toDocument(spec: string, status: string): TaskDocument {
  return { ...toSpec(spec), ...toStatus(status) };
}

/** Without the payload, which would fill the leader's memory. */
export function toHead(text: string): TaskHead {
  const {
    name: _name,
    input: _input,
    traceparent: _traceparent,
    adoptedFrom: _adoptedFrom,
    afterNames: _afterNames,
    onConflict: _onConflict,
    ...head
  } = toSpec(text);
  return head;
}

export function toPayload(text: string): TaskPayload {
  const { name, kind, input, traceparent } = toSpec(text);
  return { name, kind, input, ...(traceparent !== undefined && { traceparent }) };
}
