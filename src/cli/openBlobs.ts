/** The one place where the commands find the place of their files. A driver is loaded only when it is asked for. */
import { join } from "node:path";
import { defaults } from "../model/limits.ts";
import { type Blobs, BlobsUnavailable, isObjectName } from "../ports/blobs.ts";
import type { Log } from "../ports/log.ts";
import { LocalFailure, UsageError } from "./failure.ts";
import { mongodbUri } from "./openStore.ts";

export interface BlobsFlags {
  /** `directory:PATH`, `gridfs:`, `s3://BUCKET/PREFIX` or `memory:`; if left out, what suits the store: GridFS beside MongoDB, a folder in `data` beside SQLite. */
  readonly blobs?: string;
  readonly store?: string;
  readonly data: string;
}

/** The place of files, open. @throws UsageError for one that cannot be, LocalFailure for one that does not work */
export async function openBlobs(flags: BlobsFlags, log: Log): Promise<Blobs> {
  const blobs = await findBlobs(flags);
  try {
    await blobs.open();
  } catch (error) {
    if (!(error instanceof BlobsUnavailable)) throw error;
    if (error.reason !== "network")
      throw new LocalFailure(
        error.message,
        "Choose another place for files with --blobs, or check this one with `outlast doctor --blobs`.",
      );
    log.warn("the place of files cannot be reached; it is tried again with each file", { error });
  }
  return blobs;
}

/** The place of files, not yet open. @throws UsageError for one that cannot be */
export async function findBlobs({ blobs, store = "", data }: BlobsFlags): Promise<Blobs> {
  const isMongodb = /^mongodb(\+srv)?:/.test(store);
  const text = blobs ?? (store.startsWith("memory:") ? "memory:" : isMongodb ? "gridfs:" : null);
  if (text === null) return directory(join(data, defaults.blobsFolder), false);
  const scheme = /^[^:]*/.exec(text)?.[0] ?? "";
  switch (scheme) {
    case "memory": {
      const { MemoryBlobs } = await import("../blobs/memory/blobs.ts");
      return new MemoryBlobs();
    }
    case "directory": {
      const path = text.slice("directory:".length);
      if (path === "")
        throw new UsageError("--blobs directory: needs a directory, such as directory:/mnt/shared/blobs.");
      return directory(path, true);
    }
    case "gridfs": {
      if (!isMongodb) throw new UsageError("--blobs gridfs: keeps files in the database of a MongoDB store.");
      const { GridfsBlobs } = await import("../blobs/gridfs/blobs.ts");
      const { parseAddress } = await import("../stores/mongodb/address.ts");
      return new GridfsBlobs(parseAddress(await mongodbUri(store)));
    }
    case "s3":
      return s3(text);
    default:
      throw new UsageError(
        `Unknown place for files "${scheme}".`,
        "Use directory:PATH, gridfs: (with a MongoDB store), s3://BUCKET/PREFIX, or memory: (lost when the master stops).",
      );
  }
}

/** Nothing of the text is told: it may hold credentials, where they do not belong. */
async function s3(text: string): Promise<Blobs> {
  const { parseS3Address } = await import("../s3/address.ts");
  const address = parseS3Address(text);
  const prefix = address?.key.replace(/^\/+|\/+$/g, "") ?? "";
  if (address === null || !(prefix === "" || isObjectName(prefix))) {
    throw new UsageError(
      "--blobs s3: needs a bucket, and a prefix if others use the bucket as well, such as s3://bucket/outlast.",
      "Endpoint and credentials come from variables such as AWS_ENDPOINT_URL_S3 and AWS_ACCESS_KEY_ID, profiles, or the role of the machine.",
    );
  }
  const { S3Blobs } = await import("../blobs/s3/blobs.ts");
  return new S3Blobs({ bucket: address.bucket, key: prefix });
}

async function directory(path: string, isShared: boolean): Promise<Blobs> {
  const { DirectoryBlobs } = await import("../blobs/directory/blobs.ts");
  return new DirectoryBlobs({ path, isShared });
}
