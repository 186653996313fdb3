/** The S3 driver passes the suite that every driver of the blobs port passes, on a real server. */
import { afterAll, describe } from "vitest";
import { S3Blobs } from "../../../src/blobs/s3/blobs.ts";
import { blobsContract } from "../../../src/proof/contracts/blobsContract.ts";
import { Bucket } from "../../../src/s3/bucket.ts";
import { findDeployment } from "./place.ts";

const deployment = await findDeployment();

describe.skipIf(deployment === null)("on a real server", () => {
  blobsContract("s3", async () => {
    const address = deployment!.newPlace();
    return {
      handle: () => new S3Blobs(address),
      remove: async () => {
        const bucket = new Bucket(address.bucket);
        await bucket.deleteAll(`${address.key}/`);
        await bucket.close();
      },
    };
  });
});

afterAll(() => deployment?.stop());
