/** The records of blobs: which contents are kept. The bytes themselves are none of the scheduler's business. */
import type { BlobRecord } from "../../model/blob.ts";
import type { Batch } from "./effects.ts";
import type { RecordModule } from "./recordModule.ts";

export class Blobs implements RecordModule<BlobRecord> {
  readonly #byHash = new Map<string, BlobRecord>();

  put(sha256: string, record: BlobRecord | null): void {
    if (record === null) this.#byHash.delete(sha256);
    else this.#byHash.set(sha256, record);
  }

  recordOf(sha256: string): BlobRecord | null {
    return this.#byHash.get(sha256) ?? null;
  }

  get size(): number {
    return this.#byHash.size;
  }

  write(batch: Batch, sha256: string, record: BlobRecord | null): void {
    this.put(sha256, record);
    batch.out.writes.push({ kind: "record", collection: "blobs", id: sha256, value: record });
  }
}
