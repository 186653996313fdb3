/** An entry of the journal: the only thing that is ever appended to a store, and what it carries. */
import type { Nonce, TaskId, WorkerId } from "./ids.ts";
import type { FinalState, TaskSpec, TaskStatus } from "./task.ts";
import type { QueueRecord, WorkerRecord } from "./worker.ts";

/** A record after the change. Applying one is "put it in its place", whatever stood there before. */
export type Write =
  | { readonly kind: "spec"; readonly spec: TaskSpec }
  | { readonly kind: "status"; readonly status: TaskStatus }
  | { readonly kind: "worker"; readonly worker: WorkerRecord }
  | { readonly kind: "queue"; readonly queue: QueueRecord }
  /** The spec, status and logs of a finished task go; its queue and state are told for those who count tasks. */
  | { readonly kind: "forget-task"; readonly id: TaskId; readonly queue: string; readonly state: FinalState }
  | { readonly kind: "forget-worker"; readonly id: WorkerId }
  /** What the leader's memory came to just before this entry; standbys compare theirs. */
  | { readonly kind: "digest"; readonly digest: number }
  /** The first entry of an epoch: from here on no older leader can append. */
  | { readonly kind: "marker"; readonly address: string };

/** The version of this shape. A master that meets a higher one refuses to lead. */
export const entryFormat = 1;

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
  /** `texts[i]` is the JSON text of the record inside `writes[i]` (the spec, the status …, without the `kind`). */
  readonly texts: readonly string[];
}
