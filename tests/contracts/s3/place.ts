/** Buckets for tests: on a server of this machine, or on the one that `OUTLAST_TEST_S3` names a bucket of. */
import { randomUUID } from "node:crypto";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { TestServer } from "../../../scripts/s3/testServer.ts";
import { parseS3Address, type S3Address } from "../../../src/s3/address.ts";

export interface Deployment {
  /** Null where the bucket is on somebody else's server, which must not be killed. */
  readonly server: TestServer | null;
  readonly bucket: string;
  /** A place of its own in the bucket. */
  newPlace(): S3Address;
  stop(): Promise<void>;
}

/**
 * Sets the variables of this process that every client of S3 looks at. Null where there is no server and none can be had; then the
 * tests that need one are skipped, except in CI.
 */
export async function findDeployment(): Promise<Deployment | null> {
  const given = process.env["OUTLAST_TEST_S3"];
  if (given !== undefined) {
    const address = parseS3Address(given);
    if (address === null) throw new Error("OUTLAST_TEST_S3 must be s3://BUCKET.");
    return { server: null, bucket: address.bucket, newPlace: () => placeIn(address.bucket), stop: async () => {} };
  }
  try {
    const server = await TestServer.start();
    Object.assign(process.env, server.env);
    const bucket = "outlast-tests";
    const client = new S3Client({ forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    return { server, bucket, newPlace: () => placeIn(bucket), stop: () => server.stop() };
  } catch (error) {
    if (process.env["OUTLAST_REQUIRE_S3"] === "1") throw error;
    process.emitWarning(`The tests of S3 are skipped: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function placeIn(bucket: string): S3Address {
  return { bucket, key: `test-${randomUUID().slice(0, 13)}` };
}
