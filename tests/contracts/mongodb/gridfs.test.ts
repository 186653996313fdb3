/** The GridFS driver passes the suite that every driver of the blobs port passes. */
import { MongoClient, ObjectId } from "mongodb";
import { afterAll, describe, expect, test } from "vitest";
import { GridfsBlobs } from "../../../src/blobs/gridfs/blobs.ts";
import { blobsContract } from "../../../src/proof/contracts/blobsContract.ts";
import { parseAddress } from "../../../src/stores/mongodb/address.ts";
import { findDeployment } from "./place.ts";

const deployment = await findDeployment();

describe.skipIf(deployment === null)("on a real server", () => {
  blobsContract("gridfs", async () => {
    const place = deployment!.newPlace();
    return { handle: () => new GridfsBlobs(parseAddress(place.uri)), remove: () => place.remove() };
  });

  test("chunks that a dead process left are removed once they are old", async () => {
    const place = deployment!.newPlace();
    const blobs = new GridfsBlobs(parseAddress(place.uri));
    await blobs.open();
    async function* content() {
      yield Buffer.from("kept");
    }
    await blobs.put("a/kept", content(), 10);
    const client = new MongoClient(place.uri);
    const chunks = client.db().collection("blobs.chunks");
    const old = ObjectId.createFromTime(1_000_000);
    const young = new ObjectId();
    for (const id of [old, young]) await chunks.insertOne({ files_id: id, n: 0, data: Buffer.from("left") });
    await blobs.close();
    await blobs.open();
    expect(await chunks.countDocuments({ files_id: old })).toBe(0);
    expect(await chunks.countDocuments({ files_id: young })).toBe(1);
    expect(await blobs.stat("a/kept")).toEqual({ size: 4 });
    await client.close();
    await blobs.close();
    await place.remove();
  });

  test("chunks of a failed upload do not stay", async () => {
    const place = deployment!.newPlace();
    const blobs = new GridfsBlobs(parseAddress(place.uri));
    await blobs.open();
    async function* broken() {
      yield Buffer.alloc(1 << 20);
      throw new Error("gone");
    }
    await expect(blobs.put("a/b", broken(), 1 << 24)).rejects.toThrow("gone");
    const client = new MongoClient(place.uri);
    expect(await client.db().collection("blobs.chunks").countDocuments()).toBe(0);
    await client.close();
    await blobs.close();
    await place.remove();
  });

  test("an object that has lost its chunks is no shorter object", async () => {
    const place = deployment!.newPlace();
    const blobs = new GridfsBlobs(parseAddress(place.uri));
    await blobs.open();
    async function* content() {
      yield Buffer.alloc(1 << 20, "x");
    }
    await blobs.put("a/b", content(), 1 << 24);
    const client = new MongoClient(place.uri);
    for (const n of [3, 0]) {
      await client
        .db()
        .collection("blobs.chunks")
        .deleteMany({ n: { $gte: n } });
      const found = await blobs.get("a/b");
      await expect(Array.fromAsync(found!.content)).rejects.toMatchObject({ name: "BlobsUnavailable" });
    }
    await client.close();
    await blobs.close();
    await place.remove();
  });

  test.skipIf(deployment?.server === null)("an upload whose outcome is unknown has left a whole object", async () => {
    const place = deployment!.newPlace();
    const blobs = new GridfsBlobs(parseAddress(place.uri));
    await blobs.open();
    const client = new MongoClient(place.uri);
    const whole = Buffer.alloc(255 * 1024, "x");
    async function* content() {
      // One chunk, which is stored by now; what follows is the document of the file.
      yield whole;
      const writeConcernError = {
        code: 64,
        codeName: "WriteConcernTimeout",
        errmsg: "waiting for replication timed out",
      };
      const data = { appName: "outlast-blobs", failCommands: ["insert"], writeConcernError };
      await client.db("admin").command({ configureFailPoint: "failCommand", mode: { times: 1 }, data });
    }
    await expect(blobs.put("a/b", content(), 1 << 24)).rejects.toMatchObject({ name: "BlobsUnavailable" });
    const found = await blobs.get("a/b");
    expect(found?.size).toBe(whole.length);
    expect(Buffer.concat(await Array.fromAsync(found!.content)).equals(whole)).toBe(true);
    await client.close();
    await blobs.close();
    await place.remove();
  });

  test("a server that does not answer is told as one that cannot be reached, without its credentials", async () => {
    const address = parseAddress("mongodb://user:secret@127.0.0.1:1/db?serverSelectionTimeoutMS=100");
    const failing = new GridfsBlobs(address).open();
    await expect(failing).rejects.toMatchObject({ name: "BlobsUnavailable", reason: "network" });
    await expect(failing).rejects.not.toMatchObject({ message: expect.stringContaining("secret") as string });
  });
});

afterAll(() => deployment?.stop());
