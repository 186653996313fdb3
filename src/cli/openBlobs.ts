/** The one place where the commands find the place of their files. A driver is loaded only when it is asked for. */
import { join } from "node:path";
import { defaults } from "../model/limits.ts";
import { type Blobs, BlobsUnavailable } from "../ports/blobs.ts";
import { LocalFailure, UsageError } from "./failure.ts";

export interface BlobsFlags {
  /** `directory:PATH`, or `memory:`; if left out, a folder in `data`, or memory with a store in memory. */
  readonly blobs?: string;
  readonly store?: string;
  readonly data: string;
}

/** The place of files, open. @throws UsageError for one that cannot be, LocalFailure for one that does not work */
export async function openBlobs(flags: BlobsFlags): Promise<Blobs> {
  const blobs = await findBlobs(flags);
  try {
    await blobs.open();
    return blobs;
  } catch (error) {
    if (!(error instanceof BlobsUnavailable)) throw error;
    throw new LocalFailure(error.message, "Choose another place for files with --blobs.");
  }
}

async function findBlobs({ blobs, store, data }: BlobsFlags): Promise<Blobs> {
  const { DirectoryBlobs } = await import("../blobs/directory/blobs.ts");
  if (blobs === undefined) {
    if (store?.startsWith("memory:") === true) return memoryBlobs();
    return new DirectoryBlobs({ path: join(data, defaults.blobsFolder), isShared: false });
  }
  const scheme = /^[^:]*/.exec(blobs)?.[0] ?? "";
  switch (scheme) {
    case "memory":
      return memoryBlobs();
    case "directory": {
      const path = blobs.slice("directory:".length);
      if (path === "")
        throw new UsageError("--blobs directory: needs a directory, such as directory:/mnt/shared/blobs.");
      return new DirectoryBlobs({ path, isShared: true });
    }
    default:
      throw new UsageError(
        `Unknown place for files "${scheme}".`,
        "Use directory:PATH, or memory: (lost when the master stops).",
      );
  }
}

async function memoryBlobs(): Promise<Blobs> {
  const { MemoryBlobs } = await import("../blobs/memory/blobs.ts");
  return new MemoryBlobs();
}
