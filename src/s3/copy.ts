/** Copies an object within a bucket, on the server's side, under a condition. */
import { Readable } from "node:stream";
import type { CompletedPart } from "@aws-sdk/client-s3";
import { s3Limits } from "../model/limitsS3.ts";
import type { Bucket, Condition } from "./bucket.ts";
import { S3Failure } from "./failure.ts";
import { putInParts } from "./parts.ts";

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
  if (source.size === 0) return bucket.put(to, Readable.from([]), condition, metadata);
  const { UploadPartCopyCommand } = await import("@aws-sdk/client-s3");
  await putInParts(bucket, to, { condition, metadata }, async (client, upload) => {
    const parts: CompletedPart[] = [];
    for (let start = 0; start < source.size; start += s3Limits.copiedPartBytes) {
      const end = Math.min(source.size, start + s3Limits.copiedPartBytes) - 1;
      const part = new UploadPartCopyCommand({
        ...upload,
        PartNumber: parts.length + 1,
        CopySource: `${bucket.name}/${from.split("/").map(encodeURIComponent).join("/")}`,
        CopySourceIfMatch: source.etag,
        CopySourceRange: `bytes=${start}-${end}`,
      });
      const { CopyPartResult: { ETag } = {} } = await client.send(part);
      parts.push({ PartNumber: parts.length + 1, ETag });
    }
    return parts;
  });
}
