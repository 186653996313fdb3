/** An entry of the journal: the only thing that is ever appended to a store, and what it carries. */
import type { CollectionName, CollectionVersions, RecordValue } from "./collections/table.ts";
import type { Nonce, TaskId } from "./ids.ts";
import type { FinalState, TaskHead, TaskSpec, TaskStatus } from "./task.ts";

/** A record of any collection after the change; a `value` of null means that it was removed. Testing `collection` narrows `value`. */
export type RecordWrite<Name extends CollectionName = CollectionName> = {
  [Each in Name]: {
    readonly kind: "record";
    readonly collection: Each;
    readonly id: string;
    readonly value: RecordValue<Each> | null;
  };
}[Name];

/** State after the change. Applying a write is "put it in its place", whatever stood there before. */
export type Write =
  | { readonly kind: "spec"; readonly spec: TaskSpec }
  | { readonly kind: "status"; readonly status: TaskStatus }
  | RecordWrite
  /** Removes the spec, status and logs of a finished task, and the records that belong to it. Queue and state are for those who count tasks. */
  | { readonly kind: "forget-task"; readonly id: TaskId; readonly queue: string; readonly state: FinalState }
  /**
   * A finished task is unfinished again, since this instant of the wall clock: whoever follows gets back what decisions need to
   * know. Its status comes in the same entry.
   */
  | { readonly kind: "reopen-task"; readonly head: TaskHead; readonly state: FinalState; readonly at: number }
  | { readonly kind: "digest"; readonly digest: DigestSums }
  /** The first entry of an epoch: from here on no older leader can append. */
  | {
      readonly kind: "marker";
      readonly address: string;
      /** What the leader writes from here on. A master that does not know all of it must not lead. */
      readonly collections: CollectionVersions;
    };

/**
 * A checksum of each part of the leader's memory just before this entry; standbys compare theirs. `tasks` stands for the
 * unfinished tasks, every other name for a hot collection. Entries of format 1 have `tasks` only.
 */
export type DigestSums = { readonly tasks: number } & { readonly [part: string]: number };

/** The version of this shape. A master that meets a higher one refuses to lead. */
export const entryFormat = 2;

/** One slot of the journal, as stores keep it. `body` is the JSON text of `Write[]`. */
export interface Entry {
  /** 1, 2, 3 … without gaps; unique in the store: that is what fences an old leader. */
  readonly seq: number;
  readonly epoch: number;
  readonly nonce: Nonce;
  /** The one `now` of all decisions in it, in ms since 1970. */
  readonly at: number;
  readonly format: number;
  /** The `crc` of the entry before; 0 for the first. */
  readonly previousCrc: number;
  /** CRC-32 over the fields above and the body. */
  readonly crc: number;
  readonly body: string;
}

/** An entry on its way into a store: with its writes at hand, each beside its JSON text, so that no driver encodes twice. */
export interface OutgoingEntry extends Entry {
  readonly writes: readonly Write[];
  /** `texts[i]` is the JSON text of the record inside `writes[i]` (the spec, the status, the value …, without the `kind`). */
  readonly texts: readonly string[];
}
