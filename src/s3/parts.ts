/** Writes an object part by part, under a condition, for what the SDK's own uploads cannot do. */
import type { CompletedPart, S3Client } from "@aws-sdk/client-s3";
import { type Bucket, type Condition, conditionOf } from "./bucket.ts";
import { toS3Failure } from "./failure.ts";

/** What every request about one upload names. */
export interface UploadInParts {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

export interface PartsOptions {
  readonly condition: Condition;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The object is there whole or not at all, and of a broken upload nothing is left.
 * @param writeParts resolves with the parts, in their order
 * @throws S3Failure `changed` if the condition does not hold
 */
export async function putInParts(
  bucket: Bucket,
  key: string,
  { condition, metadata }: PartsOptions,
  writeParts: (client: S3Client, upload: UploadInParts) => Promise<CompletedPart[]>,
): Promise<void> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = await bucket.client();
  const at = { Bucket: bucket.name, Key: key };
  try {
    const begin = new sdk.CreateMultipartUploadCommand({
      ...at,
      ...(metadata !== undefined && { Metadata: metadata }),
    });
    const { UploadId } = await client.send(begin);
    const upload = { ...at, UploadId };
    try {
      const whole = { MultipartUpload: { Parts: await writeParts(client, upload) }, ...conditionOf(condition) };
      await client.send(new sdk.CompleteMultipartUploadCommand({ ...upload, ...whole }));
    } catch (error) {
      await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    throw toS3Failure(error, bucket.place);
  }
}
