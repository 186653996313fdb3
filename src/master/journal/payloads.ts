/** The payloads of tasks that will soon be assigned: new ones are kept at hand within a bound, others are read from the store. */
import { inputId } from "../../model/collections/inputs.ts";
import { ownerOf } from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { isFinal, type TaskPayload } from "../../model/task.ts";
import type { Store } from "../../ports/store.ts";

/** A task whose payload is wanted; `inputEpoch` if outputs of other tasks have been put into its input. */
export interface Wanted {
  readonly task: TaskId;
  readonly inputEpoch?: number;
}

interface Kept {
  readonly payload: TaskPayload;
  readonly bytes: number;
  /** The generation for which the input was resolved. */
  readonly inputEpoch?: number;
}

export class Payloads {
  readonly #store: Store;
  readonly #kept = new Map<TaskId, Kept>();
  #bytes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Sees what has been committed. `text` is the JSON text of the record, for its length. */
  note(write: Write, text: string): void {
    if (write.kind === "spec") this.#keep(write.spec.id, write.spec, text.length);
    else if (write.kind === "record" && write.collection === "inputs" && write.value !== null)
      this.#keepInput(write.id, write.value.input, text.length);
    else if (write.kind === "status" && isFinal(write.status.state)) this.#drop(write.status.id);
  }

  /** The payloads if all of them are at hand; otherwise a promise that reads the others. */
  get(wanted: readonly Wanted[]): Map<TaskId, TaskPayload> | Promise<Map<TaskId, TaskPayload>> {
    const found = new Map<TaskId, TaskPayload>();
    const missing: Wanted[] = [];
    for (const each of wanted) {
      const kept = this.#kept.get(each.task);
      if (kept === undefined || kept.inputEpoch !== each.inputEpoch) missing.push(each);
      else found.set(each.task, kept.payload);
    }
    return missing.length === 0 ? found : this.#read(missing, found);
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  async #read(missing: readonly Wanted[], found: Map<TaskId, TaskPayload>): Promise<Map<TaskId, TaskPayload>> {
    const epochs = new Map(missing.map(({ task, inputEpoch }) => [task, inputEpoch]));
    for (const [id, payload] of await this.#store.readPayloads([...epochs.keys()])) {
      const epoch = epochs.get(id);
      const resolved = epoch === undefined ? null : await this.#store.readRecord("inputs", inputId(id, epoch));
      found.set(id, resolved === null ? payload : { ...payload, input: resolved.input });
    }
    return found;
  }

  #keepInput(record: string, input: Json, bytes: number): void {
    const owner = ownerOf(record);
    const kept = owner === null ? undefined : this.#kept.get(owner.task as TaskId);
    if (owner === null || kept === undefined) return;
    this.#drop(owner.task as TaskId);
    if (this.#bytes + bytes > limits.payloadCacheBytesMax) return;
    const payload = { ...kept.payload, input };
    this.#kept.set(owner.task as TaskId, { payload, bytes, inputEpoch: Number(owner.key) });
    this.#bytes += bytes;
  }

  #keep(id: TaskId, { name, kind, input, traceparent }: TaskPayload, bytes: number): void {
    // A late comer is dropped rather than an early one: the early ones are next in line.
    if (this.#bytes + bytes > limits.payloadCacheBytesMax) return;
    const payload = { name, kind, input, ...(traceparent !== undefined && { traceparent }) };
    this.#kept.set(id, { payload, bytes });
    this.#bytes += bytes;
  }

  #drop(id: TaskId): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#bytes -= kept.bytes;
  }
}
