/** The payloads of tasks that will soon be assigned: new ones are kept at hand within a bound, others are read from the store. */
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { isFinal, type TaskPayload } from "../../model/task.ts";
import type { Store } from "../../ports/store.ts";

interface Kept {
  readonly payload: TaskPayload;
  readonly bytes: number;
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
    else if (write.kind === "status" && isFinal(write.status.state)) this.#drop(write.status.id);
  }

  /** The payloads if all of them are at hand; otherwise a promise that reads the others. */
  get(ids: readonly TaskId[]): Map<TaskId, TaskPayload> | Promise<Map<TaskId, TaskPayload>> {
    const found = new Map<TaskId, TaskPayload>();
    const missing: TaskId[] = [];
    for (const id of ids) {
      const kept = this.#kept.get(id);
      if (kept === undefined) missing.push(id);
      else found.set(id, kept.payload);
    }
    return missing.length === 0 ? found : this.#read(missing, found);
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }

  async #read(missing: readonly TaskId[], found: Map<TaskId, TaskPayload>): Promise<Map<TaskId, TaskPayload>> {
    for (const [id, payload] of await this.#store.readPayloads(missing)) found.set(id, payload);
    return found;
  }

  #keep(id: TaskId, { name, kind, input }: TaskPayload, bytes: number): void {
    // A late comer is dropped rather than an early one: the early ones are next in line.
    if (this.#bytes + bytes > limits.payloadCacheBytesMax) return;
    this.#kept.set(id, { payload: { name, kind, input }, bytes });
    this.#bytes += bytes;
  }

  #drop(id: TaskId): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#bytes -= kept.bytes;
  }
}
