/** User code of a map or a reduce failed, and whatever runs it may or may not have survived that. */
export class BrokenTask extends Error {
  /** `record`: it threw on a record. `final`: another attempt makes no sense. `crash`: it did not come back. */
  readonly kind: "record" | "final" | "error" | "crash";
  /** The record at which it stood: range and offset. Null if it was not at a record. */
  readonly at: { readonly range: number; readonly offset: number } | null;

  constructor(kind: BrokenTask["kind"], message: string, at: BrokenTask["at"]) {
    super(message);
    this.kind = kind;
    this.at = at;
  }
}
