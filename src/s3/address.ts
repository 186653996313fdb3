/** Addresses of S3: `s3://BUCKET/KEY`. They never hold credentials, which come from the environment. */
import { s3Limits } from "../model/limitsS3.ts";

export interface S3Address {
  readonly bucket: string;
  /** A key, or the beginning of keys; empty for the whole bucket. Nothing in it is escaped. */
  readonly key: string;
}

export const isS3 = (text: string): boolean => text.startsWith("s3://");

const addressPattern = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s;

/** Null for what is no such address. */
export function parseS3Address(text: string): S3Address | null {
  const [, bucket, key = ""] = addressPattern.exec(text) ?? [];
  if (bucket === undefined || Buffer.byteLength(key) > s3Limits.keyBytesMax) return null;
  return { bucket, key };
}

export function s3Address({ bucket, key }: S3Address): string {
  return `s3://${bucket}/${key}`;
}
