/** Blobs come in, are leased, and are released. An upload is stored first and becomes a blob here. */
import type { BlobRecord } from "../../model/blob.ts";
import { limits } from "../../model/limits.ts";
import { leased } from "./blobPins.ts";
import type { Batch, Reply } from "./effects.ts";
import type { BlobLook, Upload } from "./inputs.ts";
import type { SchedulerModule } from "./module.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";

export const blobsModule = {
  inputs: {
    "keep-blob": (state, batch, { request, upload }) => reply(batch, request, keepBlob(state, batch, upload)),
    "release-blob": (state, batch, { request, sha256 }) => reply(batch, request, releaseBlob(state, batch, sha256)),
    "collect-blobs": (state, batch, look) => collectBlobs(state, batch, look),
  },
} satisfies SchedulerModule;

/** The same content is kept once: the object of the first upload stays, unless it is known to be lost. */
function keepBlob({ blobs }: SchedulerState, batch: Batch, { sha256, size, object, missing }: Upload): Reply {
  const known = blobs.recordOf(sha256);
  if (known === null && blobs.size >= limits.blobsMax) {
    return refuse("too-many", `Too many blobs (${limits.blobsMax}).`, "blobsMax");
  }
  const isKept = known !== null && known.object !== missing;
  const record = isKept ? known : { size, object, leasedUntil: 0 };
  blobs.write(batch, sha256, leased(record, batch.now));
  return { kind: "blob", object: record.object, isNew: known === null };
}

/** Ends the lease. The blob is removed once nothing refers to it. */
function releaseBlob({ blobs }: SchedulerState, batch: Batch, sha256: string): Reply {
  const known = blobs.recordOf(sha256);
  if (known === null) return refuse("not-found", `There is no blob ${sha256}.`);
  if (known.leasedUntil > batch.now) blobs.write(batch, sha256, { ...known, leasedUntil: batch.now });
  return { kind: "done" };
}

/**
 * Blobs whose lease was over when they were looked at. One that was named or uploaded since has another lease now, so what was
 * seen no longer holds and it stays. Those that nothing named are marked at first, and removed when their mark has stood long.
 */
function collectBlobs({ blobs, settings }: SchedulerState, batch: Batch, { unnamed, named, deadPins }: BlobLook): void {
  for (const { sha256, record: seen } of unnamed) {
    const record = unchanged(blobs, sha256, seen);
    if (record === null || record.leasedUntil > batch.now) continue;
    if (record.removeAt === undefined) {
      blobs.write(batch, sha256, { ...record, removeAt: batch.now + settings.blobRemoveWaitMs });
    } else if (record.removeAt <= batch.now) {
      blobs.write(batch, sha256, null);
      // By the name of this generation: the same content may be uploaded again at this moment.
      batch.out.effects.push({ kind: "delete-object", object: record.object });
    }
  }
  for (const { sha256, record: seen } of named) {
    const record = unchanged(blobs, sha256, seen);
    // So that it need not be looked at again each time.
    if (record !== null) blobs.write(batch, sha256, leased(record, batch.now));
  }
  for (const id of deadPins) batch.out.writes.push({ kind: "record", collection: "blobPins", id, value: null });
}

/** The record, if it is still as it was seen. */
function unchanged(blobs: SchedulerState["blobs"], sha256: string, seen: BlobRecord): BlobRecord | null {
  const record = blobs.recordOf(sha256);
  if (record === null || record.object !== seen.object) return null;
  return record.leasedUntil === seen.leasedUntil && record.removeAt === seen.removeAt ? record : null;
}
