/** Whether an entry may go into its slot: the one power that everything else rests on. */
import type { Entry } from "../model/entry.ts";
import { StoreRefused } from "../ports/store.ts";

/**
 * `taken` also for a slot whose entry has been compacted away: a leader that slept for long must not find it free.
 * @throws StoreRefused where the entry does not continue this journal: its writer knew another one
 */
export function slotOf(entry: Entry, tail: Pick<Entry, "seq" | "crc"> | null): "free" | "taken" {
  const tailSeq = tail?.seq ?? 0;
  if (entry.seq <= tailSeq) return "taken";
  if (entry.seq !== tailSeq + 1) {
    throw new StoreRefused(
      `Entry ${entry.seq} cannot follow entry ${tailSeq}: the entries between them are not in this store.`,
      "The store was exchanged or restored while this master ran. Start the master again.",
    );
  }
  if (entry.previousCrc !== (tail?.crc ?? 0)) {
    throw new StoreRefused(
      `Entry ${entry.seq} does not continue the entry before it: their checksums differ.`,
      "The store was exchanged or restored while this master ran. Start the master again.",
    );
  }
  return "free";
}
