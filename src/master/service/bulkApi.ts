/** What a master offers for many tasks at once; a part of `MasterApi`. */
import type { TaskId } from "../../model/ids.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { TaskQuery } from "../../ports/store.ts";

export const bulkActions = ["cancel", "delete", "retry"] as const;
export type BulkAction = (typeof bulkActions)[number];

export interface BulkRequest {
  readonly filter: Pick<TaskQuery, "states" | "queue" | "name" | "host" | "parent" | "isRoot">;
  /** From the answer before; null for the first part. */
  readonly cursor: string | null;
  /** 1 to `limits.bulkPageMax`: how many tasks are looked at. */
  readonly limit: number;
  /** Says what it would do, and changes nothing. */
  readonly isDryRun: boolean;
}

export interface BulkAnswer {
  readonly tasks: readonly TaskId[];
  /** Tasks that match and cannot be changed so, or not now. */
  readonly refused: readonly { readonly id: TaskId; readonly message: string; readonly hint?: string }[];
  /** Give it back to go on; null at the end. */
  readonly cursor: string | null;
}

export interface BulkApi {
  /**
   * Does a part: those of the next `limit` tasks that match, the oldest first. Repeated, it finds the rest. Deleting means tasks
   * without a parent only, each with all that is below it.
   */
  run(action: BulkAction, request: BulkRequest, by?: Actor): Promise<BulkAnswer>;
}
