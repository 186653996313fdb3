/** What holds the records of one hot collection in memory. */

/** The memory of one hot collection. */
export interface RecordModule<Value> {
  /** Puts a committed value in its place without deciding anything; null removes the record. */
  put(id: string, value: Value | null, now: number): void;
  /** The record as the memory that decisions are made from has it; null if there is none. The digest is made from this. */
  recordOf(id: string): Value | null;
}
