/** Files between this machine and the masters: uploads, and downloads that are there whole or not at all. */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, type ReadStream } from "node:fs";
import { link, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256Of } from "../model/blob.ts";
import type { BlobInfo } from "../sdk/blobs.ts";
import type { Outlast } from "../sdk/client.ts";
import { LocalFailure, UsageError } from "./failure.ts";
import { makeDirectory } from "./makeDirectory.ts";

/** `-` is stdin, which is read into memory: it must be sent again where a master fails. */
export async function uploadFile(client: Outlast, path: string, signal: AbortSignal): Promise<BlobInfo> {
  if (path === "-") {
    const { buffer } = await import("node:stream/consumers");
    return client.blobs.put(await buffer(process.stdin), { signal });
  }
  const found = await stat(path).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (!found.isFile()) throw new UsageError(`${path} is not a file.`);
  return client.blobs.put((): ReadStream => createReadStream(path), { signal });
}

/**
 * The reference of a file that a task is to have: of a path the file is uploaded; a reference is taken as it is, to a blob or to what a
 * task has left that is waited for. A file whose name looks like one is meant by ./NAME.
 */
export async function referenceFor(client: Outlast, source: string, signal: AbortSignal): Promise<string> {
  if (sha256Of(source) !== null || source.startsWith("${tasks.")) return source;
  return (await uploadFile(client, source, signal)).blob;
}

/** Writes a blob to a file that is not there yet. @throws LocalFailure if there is one, or the content is not what it should be */
export async function downloadFile(client: Outlast, sha256: string, path: string, signal: AbortSignal): Promise<void> {
  await makeDirectory(dirname(path));
  const temporary = join(dirname(path), `.outlast-${randomUUID()}`);
  try {
    const file = await open(temporary, "wx");
    const hash = createHash("sha256");
    try {
      for await (const piece of client.blobs.get(sha256, { signal })) {
        hash.update(piece);
        for (let at = 0; at < piece.length; ) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
      }
    } finally {
      await file.close();
    }
    if (hash.digest("hex") !== sha256.replace("sha256:", ""))
      throw new LocalFailure(`${path} has arrived damaged.`, null);
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new LocalFailure(`${path} exists already.`, "Nothing is overwritten: move it away, or choose another place.");
  } finally {
    await rm(temporary, { force: true });
  }
}
