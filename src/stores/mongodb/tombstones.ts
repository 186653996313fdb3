/** Notes of tasks and records that are gone: kept for a day, so that a late write of a deposed leader cannot bring one back. Both need `createNoteIndexes`. */
import { limits } from "../../model/limits.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import type { Connection } from "./connection.ts";
import { forgottenState } from "./taskDocument.ts";

/**
 * Removes old ones of tasks, a bounded number at a time. `now` is the instant of the last entry: that clock is the leader's.
 * @returns true if there may be more
 */
export async function sweepTasks({ tasks }: Connection, now: number): Promise<boolean> {
  const goneBefore = now - mongodbLimits.tombstoneMs;
  const old = await tasks
    .find(
      { "outlast.state": forgottenState, "outlast.goneAt": { $lt: goneBefore } },
      { projection: { _id: 1 }, limit: limits.storeStepRowsMax },
    )
    .sort({ "outlast.goneAt": 1 })
    .toArray();
  if (old.length > 0) {
    await tasks.deleteMany({
      _id: { $in: old.map(({ _id }) => _id) },
      "outlast.state": forgottenState,
      "outlast.goneAt": { $lt: goneBefore },
    });
  }
  return old.length === limits.storeStepRowsMax;
}

/** The same for all records that are old enough. */
export async function sweepRecords({ records }: Connection, now: number): Promise<void> {
  await records.deleteMany({ value: null, goneAt: { $lt: now - mongodbLimits.tombstoneMs } });
}
