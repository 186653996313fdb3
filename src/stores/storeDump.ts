/** Everything that a store holds, as another kind of store takes it over. */
import type { CollectionVersions } from "../model/collections/table.ts";
import type { Entry } from "../model/entry.ts";
import type { Lease } from "../model/lease.ts";

export interface StoreDump {
  readonly incarnation: string;
  /** What the last marker lists. */
  readonly collections: CollectionVersions | null;
  readonly lease: Lease | null;
  /** Ascending, with the highest place in the order of creation that was given away up to each. */
  entries(): Iterable<{ readonly entry: Entry; readonly ordMax: number }>;
  /** In the order of creation; `spec` and `status` are JSON texts, `seq` is of the entry that wrote the status. */
  tasks(): Iterable<{ readonly ord: number; readonly seq: number; readonly spec: string; readonly status: string }>;
  /** `ord` is that of the task a record belongs to; then `key` is what follows the task in its id. */
  records(): Iterable<{
    readonly collection: string;
    readonly key: string;
    readonly ord: number | null;
    readonly seq: number;
    readonly value: string;
  }>;
  logs(): Iterable<{
    readonly ord: number;
    readonly task: string;
    readonly attempt: number;
    readonly offset: number;
    readonly at: number;
    readonly isTruncated: boolean;
    readonly bytes: Uint8Array;
  }>;
  close(): void;
}
