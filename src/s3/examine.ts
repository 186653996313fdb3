/** Whether a bucket does what Outlast relies on: never to write over an object, neither at once nor in parts. */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { Bucket } from "./bucket.ts";
import { S3Failure } from "./failure.ts";
import { putInParts } from "./parts.ts";

/**
 * Writes a small object whose key begins with `prefix`, tries to write over it, and removes it.
 * @throws S3Failure; `refused` with the code `NoConditions` if it was written over
 */
export async function examineBucket(bucket: Bucket, prefix: string): Promise<void> {
  const key = `${prefix}check-${randomUUID()}`;
  try {
    await bucket.put(key, Readable.from([Buffer.from("check")]), "absent");
  } catch (error) {
    throw isUnknownThere(error) ? noConditions(bucket, "in PutObject") : error;
  }
  try {
    if (!(await isRefused(() => bucket.put(key, Readable.from([Buffer.from("other")]), "absent"))))
      throw noConditions(bucket, "in PutObject");
    if (!(await isRefused(() => putOnePart(bucket, key)))) throw noConditions(bucket, "in CompleteMultipartUpload");
  } finally {
    await bucket.delete(key);
  }
}

async function isRefused(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (error) {
    if (error instanceof S3Failure && error.kind === "changed") return true;
    if (isUnknownThere(error)) return false;
    throw error;
  }
}

/** The server says that it does not know the condition. */
function isUnknownThere(error: unknown): boolean {
  return error instanceof S3Failure && error.code === "NotImplemented";
}

/** One part: the last one may be of any size. */
async function putOnePart(bucket: Bucket, key: string): Promise<void> {
  const { UploadPartCommand } = await import("@aws-sdk/client-s3");
  await putInParts(bucket, key, { condition: "absent" }, async (client, upload) => {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "parts" }));
    return [{ PartNumber: 1, ETag }];
  });
}

function noConditions({ place }: Bucket, where: string): S3Failure {
  return new S3Failure(
    "refused",
    "NoConditions",
    `${place} does not keep to If-None-Match ${where}, so that one object could be written over another.`,
  );
}
