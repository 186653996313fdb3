/** What the S3 driver makes of servers that die, stall, lose answers or do less than S3, and of people who change objects by hand. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { S3Blobs } from "../../../src/blobs/s3/blobs.ts";
import { s3Limits } from "../../../src/model/limitsS3.ts";
import { type BlobsUnavailable, type ObjectContent, ObjectTaken } from "../../../src/ports/blobs.ts";
import type { S3Address } from "../../../src/s3/address.ts";
import { Bucket } from "../../../src/s3/bucket.ts";
import { findDeployment } from "./place.ts";
import { Proxy, type Seen, s3Error } from "./proxy.ts";

const found = await findDeployment();
const isOwn = found !== null && found.server !== null;
const secret = "a-secret-that-nobody-should-read";

async function* pieces(...all: (Uint8Array | string)[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of all) yield typeof piece === "string" ? Buffer.from(piece) : piece;
}

async function bytesOf(content: ObjectContent | null): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content?.content ?? []) parts.push(part);
  return Buffer.concat(parts);
}

const isPut = ({ method, path }: Seen) => method === "PUT" && !path.includes("check-");
const isCompletion = ({ method, path }: Seen) => method === "POST" && path.includes("uploadId=");
const isRead = ({ method, path }: Seen) => method === "GET" && path.includes("x-id=GetObject");

/** Passes all but the first `count` requests of one kind. */
function firstOf<Treatment>(count: number, kind: (seen: Seen) => boolean, treatment: Treatment) {
  let left = count;
  return (seen: Seen) => {
    if (!kind(seen) || left === 0) return "pass" as const;
    left -= 1;
    return treatment;
  };
}

describe.skipIf(!isOwn)("s3 in trouble", () => {
  const server = found!.server!;
  const tooMuch = 64 << 20;
  let address: S3Address;
  let proxy: Proxy;
  let blobs: S3Blobs;
  /** Past the proxy. */
  let bucket: Bucket;

  beforeEach(async () => {
    address = found!.newPlace();
    bucket = new Bucket(address.bucket);
    await bucket.head("x");
    proxy = await Proxy.start(server.port);
    vi.stubEnv("AWS_ENDPOINT_URL_S3", proxy.url);
    blobs = new S3Blobs(address);
    await blobs.open();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await blobs.close();
    await bucket.close();
    await proxy.stop();
  });

  const keyOf = (name: string) => `${address.key}/${name.replaceAll("/", "!/")}`;
  async function openUploads(): Promise<number> {
    const { ListMultipartUploadsCommand } = await import("@aws-sdk/client-s3");
    const client = await bucket.client();
    const page = await client.send(
      new ListMultipartUploadsCommand({ Bucket: address.bucket, Prefix: `${address.key}/` }),
    );
    return page.Uploads?.length ?? 0;
  }

  test("what is larger than a part goes in parts, and leaves none", async () => {
    const bytes = randomBytes(2 * s3Limits.partBytes + 5);
    const stored = await blobs.put("a/large", pieces(bytes), tooMuch);
    expect(stored).toEqual({ size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
    expect(proxy.seen.filter(({ path }) => path.includes("partNumber=")).length).toBe(3 + 1);
    expect((await bytesOf(await blobs.get("a/large"))).equals(bytes)).toBe(true);
    await expect(blobs.put("a/large", pieces(bytes), tooMuch)).rejects.toThrow(ObjectTaken);
    expect(await openUploads()).toBe(0);
  });

  test("content that breaks off after its first parts leaves none of them", async () => {
    async function* broken() {
      yield randomBytes(2 * s3Limits.partBytes + 5);
      throw new Error("the client is gone");
    }
    await expect(blobs.put("a/b", broken(), tooMuch)).rejects.toThrow("the client is gone");
    expect(await blobs.stat("a/b")).toBeNull();
    expect(await openUploads()).toBe(0);
  });

  test("a server that is killed during an upload has nothing of it when it is back", async () => {
    async function* content() {
      yield randomBytes(s3Limits.partBytes + 5);
      await vi.waitFor(async () => expect(await openUploads()).toBe(1));
      await server.kill();
      yield randomBytes(2 * s3Limits.partBytes);
    }
    await expect(blobs.put("a/b", content(), tooMuch)).rejects.toMatchObject({
      name: "BlobsUnavailable",
      reason: "network",
    });
    await expect(blobs.stat("a/b")).rejects.toMatchObject({ name: "BlobsUnavailable", reason: "network" });
    await server.start();
    expect(await blobs.stat("a/b")).toBeNull();
    await blobs.put("a/b", pieces("second"), tooMuch);
    expect(String(await bytesOf(await blobs.get("a/b")))).toBe("second");
    // The parts of the first upload are still there: those are removed once they are old.
    const uploads = new Bucket(address.bucket);
    expect(await openUploads()).toBe(1);
    await uploads.abandonUploads(`${address.key}/`, 0);
    expect(await openUploads()).toBe(1);
    await uploads.abandonUploads(`${address.key}/`, Date.now() + 60_000);
    expect(await openUploads()).toBe(0);
    await uploads.close();
  });

  test("a server that asks to slow down is asked again, and not for ever", async () => {
    proxy.treat = firstOf(2, isPut, s3Error(503, "SlowDown"));
    await blobs.put("a/b", pieces("text"), tooMuch);
    expect(String(await bytesOf(await blobs.get("a/b")))).toBe("text");
    proxy.treat = () => s3Error(503, "SlowDown");
    proxy.seen.length = 0;
    await expect(blobs.put("a/c", pieces("text"), tooMuch)).rejects.toMatchObject({ reason: "network" });
    expect(proxy.seen.length).toBe(s3Limits.attemptsMax);
  });

  test("an upload whose answer is lost is known again, and not taken for another one", async () => {
    proxy.treat = firstOf(1, isPut, "lose-answer" as const);
    await blobs.put("a/small", pieces("text"), tooMuch);
    expect(proxy.seen.filter(isPut).length).toBe(2);
    proxy.treat = firstOf(1, isCompletion, "lose-answer" as const);
    await blobs.put("a/large", pieces(randomBytes(s3Limits.partBytes + 1)), tooMuch);
    await expect(blobs.put("a/small", pieces("text"), tooMuch)).rejects.toThrow(ObjectTaken);
    expect(await openUploads()).toBe(0);
  });

  test("an upload that another one gets in the way of can be tried again", async () => {
    proxy.treat = (seen) => (isPut(seen) ? s3Error(409, "ConditionalRequestConflict") : "pass");
    await expect(blobs.put("a/b", pieces("text"), tooMuch)).rejects.toMatchObject({ reason: "network" });
    proxy.treat = () => "pass";
    await blobs.put("a/b", pieces("text"), tooMuch);
    proxy.treat = (seen) => (isPut(seen) ? s3Error(409, "ConditionalRequestConflict") : "pass");
    await expect(blobs.put("a/b", pieces("other"), tooMuch)).rejects.toThrow(ObjectTaken);
  });

  test("a read goes on where its connection broke", async () => {
    const bytes = randomBytes(3 << 20);
    await blobs.put("a/b", pieces(bytes), tooMuch);
    proxy.treat = firstOf(2, isRead, { cutAfter: 1 << 20 });
    proxy.seen.length = 0;
    expect((await bytesOf(await blobs.get("a/b", { from: 7, until: bytes.length }))).equals(bytes.subarray(7))).toBe(
      true,
    );
    expect(proxy.seen.filter(isRead).length).toBe(3);
    proxy.treat = (seen) => (isRead(seen) ? { cutAfter: 0 } : "pass");
    await expect(bytesOf(await blobs.get("a/b"))).rejects.toMatchObject({ reason: "network" });
  });

  test("an object that is changed or removed by hand fails whoever reads it", async () => {
    await blobs.put("a/changed", pieces("first"), tooMuch);
    await blobs.put("a/removed", pieces("first"), tooMuch);
    const changed = await blobs.get("a/changed");
    const removed = await blobs.get("a/removed");
    await bucket.put(keyOf("a/changed"), pieces("other"), "any");
    await bucket.delete(keyOf("a/removed"));
    await expect(bytesOf(changed)).rejects.toMatchObject({ name: "BlobsUnavailable", reason: "io" });
    await expect(bytesOf(removed)).rejects.toMatchObject({ name: "BlobsUnavailable", reason: "io" });
    expect(await blobs.get("a/removed")).toBeNull();
  });

  test("what somebody else keeps in the same place is not listed", async () => {
    await blobs.put("a/b", pieces("ours"), tooMuch);
    for (const key of [`${address.key}/a!/c d`, `${address.key}/a!/x/y`, `${address.key}/a/b`]) {
      await bucket.put(key, pieces("theirs"), "any");
    }
    const names: string[] = [];
    for await (const { name } of blobs.list("a")) names.push(name);
    expect(names).toEqual(["a/b"]);
  });

  test("a bucket that is full is told of as full", async () => {
    proxy.treat = (seen) => (isPut(seen) ? s3Error(507, "InsufficientStorage") : "pass");
    await expect(blobs.put("a/b", pieces("text"), tooMuch)).rejects.toMatchObject({ reason: "full" });
    expect(await blobs.stat("a/b")).toBeNull();
  });

  async function refusal(place: S3Address): Promise<BlobsUnavailable> {
    const other = new S3Blobs(place);
    const error = await other.open().then(
      () => null,
      (thrown: unknown) => thrown,
    );
    await other.close();
    return error as BlobsUnavailable;
  }

  test("wrong credentials are refused, and not told", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", secret);
    const error = await refusal(address);
    expect(error).toMatchObject({ name: "BlobsUnavailable", reason: "io" });
    expect(error.message).toContain("SignatureDoesNotMatch");
    expect(error.cause).toBeUndefined();
    expect(JSON.stringify(error) + String(error.stack)).not.toContain(secret);
  });

  test("a bucket that is not there is refused, and not made", async () => {
    const error = await refusal({ bucket: "no-such-bucket", key: "" });
    expect(error).toMatchObject({ reason: "io", message: expect.stringContaining("NoSuchBucket") as string });
    await expect(refusal({ bucket: "no-such-bucket", key: "" })).resolves.toMatchObject({ reason: "io" });
  });

  test("a server that is not there is told of as one that may come back, and is used when it has", async () => {
    await server.kill();
    const early = new S3Blobs(address);
    await expect(early.open()).rejects.toMatchObject({ reason: "network" });
    await server.start();
    await early.put("a/b", pieces("text"), tooMuch);
    expect(String(await bytesOf(await early.get("a/b")))).toBe("text");
    await early.close();
  });

  test.each([
    [
      "at once",
      ({ method, path }: Seen) => method === "PUT" && path.includes("check-") && !path.includes("partNumber="),
      { status: 200 },
    ],
    [
      "in parts",
      isCompletion,
      {
        status: 200,
        body: '<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>',
      },
    ],
    ["and says so", ({ method }: Seen) => method === "PUT", s3Error(501, "NotImplemented")],
  ])("a server that would write over an object is refused: %s", async (_how, kind, treatment) => {
    proxy.treat = (seen) => (kind(seen) ? treatment : "pass");
    const error = await refusal(address);
    expect(error).toMatchObject({ reason: "io", message: expect.stringContaining("If-None-Match") as string });
    proxy.treat = () => "pass";
    for await (const { key } of bucket.list(`${address.key}/`)) expect(key).toBe("nothing is left");
  });
});

afterAll(() => found?.stop());
