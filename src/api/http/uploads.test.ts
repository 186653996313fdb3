/** How an upload is read: as it arrives, given up when it stops. */
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { Transfers, uploadOf } from "./uploads.ts";

function uploading(): { readonly body: PassThrough; readonly request: { readonly raw: IncomingMessage } } {
  const body = new PassThrough();
  return { body, request: { raw: body as unknown as IncomingMessage } };
}

test("an upload of which nothing more arrives is given up, and its connection is left for the answer", async () => {
  const { body, request } = uploading();
  body.write("first");
  const pieces = uploadOf(request, 20);
  expect(String((await pieces.next()).value)).toBe("first");
  await expect(pieces.next()).rejects.toMatchObject({ code: "too-slow", details: { limit: "uploadSilenceMsMax" } });
  expect(body.destroyed).toBe(false);
});

test("one that breaks off is no whole upload", async () => {
  const { body, request } = uploading();
  body.write("first");
  const pieces = uploadOf(request);
  await pieces.next();
  body.destroy(new Error("reset"));
  await expect(pieces.next()).rejects.toMatchObject({ code: "bad-request" });
});

test("transfers are bounded, and each ends once", () => {
  const transfers = new Transfers();
  const ends = Array.from({ length: limits.blobTransfersMax }, () => transfers.begin());
  expect(() => transfers.begin()).toThrow(expect.objectContaining({ code: "too-many" }) as Error);
  ends[0]?.();
  ends[0]?.();
  transfers.begin();
  expect(() => transfers.begin()).toThrow("too many uploads");
});
