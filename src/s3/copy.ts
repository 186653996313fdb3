/** Copies an object within a bucket, on the server's side, under a condition. */
import { s3Limits } from "../model/limitsS3.ts";
import { type Bucket, type Condition, conditionOf } from "./bucket.ts";
import { S3Failure, toS3Failure } from "./failure.ts";

/**
 * Done as an upload whose parts are copied: CopyObject knows no condition on what it writes over.
 * @throws S3Failure `changed` if the condition does not hold, `absent` if there is no object to copy
 */
export async function copyObject(
  bucket: Bucket,
  from: string,
  to: string,
  condition: Condition,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const source = await bucket.head(from);
  if (source === null) throw new S3Failure("absent", "NoSuchKey", `${bucket.place} has no object ${from}.`);
  // Nothing can be no part.
  if (source.size === 0) return bucket.put(to, nothing(), condition, metadata);
  const sdk = await import("@aws-sdk/client-s3");
  const client = await bucket.client();
  const at = { Bucket: bucket.name, Key: to };
  try {
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand({ ...at, Metadata: metadata }));
    const upload = { ...at, UploadId };
    try {
      const parts: { PartNumber: number; ETag?: string }[] = [];
      for (let start = 0; start < source.size; start += s3Limits.copiedPartBytes) {
        const end = Math.min(source.size, start + s3Limits.copiedPartBytes) - 1;
        const part = new sdk.UploadPartCopyCommand({
          ...upload,
          PartNumber: parts.length + 1,
          CopySource: `${bucket.name}/${from.split("/").map(encodeURIComponent).join("/")}`,
          CopySourceIfMatch: source.etag,
          CopySourceRange: `bytes=${start}-${end}`,
        });
        const { CopyPartResult: { ETag } = {} } = await client.send(part);
        parts.push({ PartNumber: parts.length + 1, ...(ETag !== undefined && { ETag }) });
      }
      const whole = { ...upload, MultipartUpload: { Parts: parts }, ...conditionOf(condition) };
      await client.send(new sdk.CompleteMultipartUploadCommand(whole));
    } catch (error) {
      await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    throw toS3Failure(error, bucket.place);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
