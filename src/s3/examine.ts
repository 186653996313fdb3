/** Whether a bucket does what Outlast relies on: never to write over an object, neither at once nor in parts. */
import { randomUUID } from "node:crypto";
import type { Bucket } from "./bucket.ts";
import { S3Failure, toS3Failure } from "./failure.ts";

/**
 * Writes a small object whose key begins with `prefix`, tries to write over it, and removes it.
 * @throws S3Failure; `refused` with the code `NoConditions` if it was written over
 */
export async function examineBucket(bucket: Bucket, prefix: string): Promise<void> {
  const key = `${prefix}check-${randomUUID()}`;
  try {
    await bucket.put(key, once("check"), "absent");
  } catch (error) {
    throw isUnknownThere(error) ? noConditions(bucket, "in PutObject") : error;
  }
  try {
    if (!(await isRefused(() => bucket.put(key, once("other"), "absent")))) throw noConditions(bucket, "in PutObject");
    if (!(await isRefused(() => putInParts(bucket, key)))) throw noConditions(bucket, "in CompleteMultipartUpload");
  } finally {
    await bucket.delete(key);
  }
}

async function* once(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(text);
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
async function putInParts(bucket: Bucket, key: string): Promise<void> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = await bucket.client();
  const at = { Bucket: bucket.name, Key: key };
  try {
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(at));
    const upload = { ...at, UploadId };
    try {
      const part = { PartNumber: 1, Body: "parts" };
      const { ETag } = await client.send(new sdk.UploadPartCommand({ ...upload, ...part }));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      await client.send(new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload, IfNoneMatch: "*" }));
    } catch (error) {
      await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    throw toS3Failure(error, bucket.place);
  }
}

function noConditions({ place }: Bucket, where: string): S3Failure {
  return new S3Failure(
    "refused",
    "NoConditions",
    `${place} does not keep to If-None-Match ${where}, so that one object could be written over another.`,
  );
}
