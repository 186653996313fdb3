/** The collections of this store that a newer leader writes and that this master does not understand: it must not lead. */
import { type CollectionVersions, collectionVersions } from "../../model/collections/table.ts";

export class CollectionGaps {
  readonly #known: CollectionVersions;
  #missing: ReadonlySet<string> = new Set();

  constructor(known: CollectionVersions = collectionVersions) {
    this.#known = known;
  }

  /** Their names. Their records are passed over wherever this master reads the journal or the view. */
  get missing(): ReadonlySet<string> {
    return this.#missing;
  }

  /** Takes what a marker lists. @returns true if other collections are missing now */
  note(listed: CollectionVersions): boolean {
    const missing = Object.keys(listed).filter((name) => (listed[name] ?? 0) > (this.#known[name] ?? 0));
    const isChanged = missing.length !== this.#missing.size || missing.some((name) => !this.#missing.has(name));
    this.#missing = new Set(missing);
    return isChanged;
  }
}
