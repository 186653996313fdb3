/** Which part of the scheduler holds which hot collection, and how committed records come into its memory. */
import { type HotCollectionName, hotCollections, isHot, type RecordValue } from "../../model/collections/table.ts";
import type { RecordWrite, Write } from "../../model/entry.ts";
import { RecordDigest } from "./digest.ts";
import type { RecordModule } from "./recordModule.ts";

/** Collections whose memory is more than the records themselves. Any other hot collection is held by `KeptRecords`. */
export type OwnModules = { readonly [Name in HotCollectionName]?: RecordModule<RecordValue<Name>> };

export class Records {
  readonly #modules: ReadonlyMap<HotCollectionName, RecordModule<unknown>>;
  readonly #digest = new RecordDigest();

  constructor(own: OwnModules) {
    this.#modules = new Map(hotCollections.map((name) => [name, own[name] ?? new KeptRecords()]));
  }

  /** Takes a committed record. Those of cold collections are in the store only. */
  apply({ collection, id, value }: RecordWrite, now: number): void {
    if (!isHot(collection)) return;
    this.#module(collection).put(id, value, now);
    this.#note(collection, id);
  }

  /** Brings the digest up to date with what memory has now of each record that the leader has written in a batch. */
  noteAll(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.kind === "record" && isHot(write.collection)) this.#note(write.collection, write.id);
    }
  }

  get sums(): { readonly [collection: string]: number } {
    return this.#digest.sums;
  }

  #note(collection: HotCollectionName, id: string): void {
    this.#digest.note(collection, id, this.#module(collection).recordOf(id));
  }

  #module(name: HotCollectionName): RecordModule<unknown> {
    const module = this.#modules.get(name);
    if (module === undefined) throw new Error(`No part of the scheduler holds the collection ${name}.`);
    return module;
  }
}

/** A collection that is nothing but its records. */
export class KeptRecords<Value> implements RecordModule<Value> {
  readonly #byId = new Map<string, Value>();

  put(id: string, value: Value | null): void {
    if (value === null) this.#byId.delete(id);
    else this.#byId.set(id, value);
  }

  recordOf(id: string): Value | null {
    return this.#byId.get(id) ?? null;
  }
}
