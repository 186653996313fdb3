/** Blobs come in, are leased, and are released. An upload is stored first and becomes a blob here. */
import type { BlobRecord } from "../../model/blob.ts";
import { limits } from "../../model/limits.ts";
import { leased } from "./blobPins.ts";
import type { Batch, Reply } from "./effects.ts";
import type { SeenBlob, Upload } from "./inputs.ts";
import type { SchedulerModule } from "./module.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";
import { wallNow } from "./ticks.ts";

export const blobsModule = {
  inputs: {
    "keep-blob": (state, batch, { request, upload }) => reply(batch, request, keepBlob(state, batch, upload)),
    "release-blob": (state, batch, { request, sha256 }) => reply(batch, request, releaseBlob(state, batch, sha256)),
    "collect-blobs": (state, batch, { seen }) => collectBlobs(state, batch, seen),
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
function releaseBlob(state: SchedulerState, batch: Batch, sha256: string): Reply {
  const { blobs } = state;
  const known = blobs.recordOf(sha256);
  if (known === null) return refuse("not-found", `There is no blob ${sha256}.`);
  const now = wallNow(state, batch);
  if (known.leasedUntil > now) blobs.write(batch, sha256, { ...known, leasedUntil: now });
  return { kind: "done" };
}

/**
 * Blobs whose lease was over when they were looked at, by the wall clock: a leader that was started while that was far ahead must not
 * take the leases of the one before for over. Whoever names or uploads one since then has given it another lease, so what
 * was seen no longer holds, its dead pins included: a new task may have the id of a forgotten one, and so the id of its pin.
 */
function collectBlobs(state: SchedulerState, batch: Batch, seen: readonly SeenBlob[]): void {
  for (const { sha256, record: before, isNamed, deadPins } of seen) {
    const record = state.blobs.recordOf(sha256);
    if (record === null || !isUnchanged(record, before) || record.leasedUntil > wallNow(state, batch)) continue;
    for (const id of deadPins) batch.out.writes.push({ kind: "record", collection: "blobPins", id, value: null });
    // So that it need not be looked at again each time.
    if (isNamed === true) state.blobs.write(batch, sha256, leased(record, batch.now));
    else if (isNamed === false) markOrRemove(state, batch, sha256, record);
  }
}

/** Nothing names it. It is marked at first, and removed when its mark has stood long enough. */
function markOrRemove(state: SchedulerState, batch: Batch, sha256: string, record: BlobRecord): void {
  const { blobs, settings } = state;
  const now = wallNow(state, batch);
  if (record.removeAt === undefined) {
    blobs.write(batch, sha256, { ...record, removeAt: now + settings.blobRemoveWaitMs });
  } else if (record.removeAt <= now) {
    blobs.write(batch, sha256, null);
    // By the name of this generation: the same content may be uploaded again at this moment.
    batch.out.effects.push({ kind: "delete-object", object: record.object });
  }
}

function isUnchanged({ object, leasedUntil, removeAt }: BlobRecord, before: BlobRecord): boolean {
  return object === before.object && leasedUntil === before.leasedUntil && removeAt === before.removeAt;
}
