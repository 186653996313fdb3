/** Blobs come in, are leased, and are released. An upload is stored first and becomes a blob here. */
import type { BlobRecord } from "../../model/blob.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { Batch, Reply } from "./effects.ts";
import type { Upload } from "./inputs.ts";
import type { SchedulerModule } from "./module.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";

export const blobsModule = {
  inputs: {
    "keep-blob": (state, batch, { request, upload }) => reply(batch, request, keepBlob(state, batch, upload)),
    "release-blob": (state, batch, { request, sha256 }) => reply(batch, request, releaseBlob(state, batch, sha256)),
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

function leased(record: BlobRecord, now: number): BlobRecord {
  return { ...record, leasedUntil: Math.max(record.leasedUntil, now + defaults.blobLeaseMs) };
}
