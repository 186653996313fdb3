/** Notes of tasks and records that are gone: kept for a day, so that a late write of a deposed leader cannot bring one back. */
import { limits } from "../../model/limits.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import type { Connection } from "./connection.ts";
import { forgottenState } from "./taskDocument.ts";

/** Removes old ones, a bounded number at a time. `now` is the instant of the last entry: that clock is the leader's. */
export async function sweepTombstones({ tasks, records }: Connection, now: number): Promise<void> {
  const goneBefore = now - mongodbLimits.tombstoneMs;
  const old = await tasks
    .find(
      { "outlast.state": forgottenState, "outlast.goneAt": { $lt: goneBefore } },
      { projection: { _id: 1 }, limit: limits.storeStepRowsMax },
    )
    .toArray();
  if (old.length > 0) {
    await tasks.deleteMany({
      _id: { $in: old.map(({ _id }) => _id) },
      "outlast.state": forgottenState,
      "outlast.goneAt": { $lt: goneBefore },
    });
  }
  await records.deleteMany({ value: null, goneAt: { $lt: goneBefore } });
}
