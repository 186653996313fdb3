/** Which version of each template is the latest one. */
import type { TemplateRecord } from "../../model/templates/template.ts";
import type { Batch } from "./effects.ts";
import type { RecordModule } from "./recordModule.ts";

export class Templates implements RecordModule<TemplateRecord> {
  readonly #byName = new Map<string, TemplateRecord>();

  put(name: string, record: TemplateRecord | null): void {
    if (record === null) this.#byName.delete(name);
    else this.#byName.set(name, record);
  }

  recordOf(name: string): TemplateRecord | null {
    return this.#byName.get(name) ?? null;
  }

  get size(): number {
    return this.#byName.size;
  }

  write(batch: Batch, record: TemplateRecord): void {
    this.#byName.set(record.name, record);
    batch.out.writes.push({ kind: "record", collection: "templates", id: record.name, value: record });
  }
}
