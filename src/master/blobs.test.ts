/** Blobs over a whole master: what is kept once, what an upload leaves, what is told of a full disk. */
import { afterEach, expect, test } from "vitest";
import { MemoryBlobs } from "../blobs/memory/blobs.ts";
import { OutlastError } from "../model/errors.ts";
import { defaults, limits } from "../model/limits.ts";
import { SystemIds } from "../node/ids.ts";
import { type Blobs, BlobsUnavailable } from "../ports/blobs.ts";
import type { Log } from "../ports/log.ts";
import { StoreUnavailable } from "../ports/store.ts";
import { FakeClock } from "../proof/fakes/fakeClock.ts";
import { startSoloMaster } from "../proof/fakes/soloMaster.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import type { Master } from "./master.ts";
import { BlobService } from "./service/blobService.ts";
import type { ServiceCalls } from "./service/templateService.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const masters: Master[] = [];

afterEach(async () => {
  for (const master of masters.splice(0)) await master.stop();
});

async function startMaster(blobs: Blobs | null, store = new MemoryStore({ ids: new SystemIds() })): Promise<Master> {
  const master = await startSoloMaster({ store, ...(blobs !== null && { blobs }) });
  masters.push(master);
  return master;
}

async function* text(...pieces: string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function objectsIn(blobs: Blobs): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of blobs.list("blobs")) names.push(name);
  return names;
}

async function read(master: Master, sha256: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of (await master.service.blobs.read(sha256)).content) parts.push(part);
  return Buffer.concat(parts).toString();
}

test("the same content is one blob, and the second copy goes", async () => {
  const place = new MemoryBlobs();
  const master = await startMaster(place);
  const first = await master.service.blobs.put(text("one", "two"));
  expect(first).toMatchObject({ size: 6, isNew: true });
  const second = await master.service.blobs.put(text("onetwo"));
  expect(second).toEqual({ ...first, isNew: false });
  expect(await objectsIn(place)).toHaveLength(1);
  expect(await read(master, first.sha256)).toBe("onetwo");
  expect(await master.service.blobs.stat(first.sha256)).toEqual({ size: 6 });
});

test("a blob outlives its master", async () => {
  const place = new MemoryBlobs();
  const store = new MemoryStore({ ids: new SystemIds() });
  const { sha256 } = await (await startMaster(place, store)).service.blobs.put(text("kept"));
  await masters.pop()?.stop();
  expect(await read(await startMaster(place, store), sha256)).toBe("kept");
});

test("a blob whose file is lost is unknown, and an upload brings it back", async () => {
  const place = new MemoryBlobs();
  const master = await startMaster(place);
  const { sha256 } = await master.service.blobs.put(text("lost"));
  for (const name of await objectsIn(place)) await place.delete(name);
  await expect(master.service.blobs.read(sha256)).rejects.toMatchObject({ code: "not-found" });
  await master.service.blobs.put(text("lost"));
  expect(await read(master, sha256)).toBe("lost");
  expect(await objectsIn(place)).toHaveLength(1);
});

test("a full disk is told as one, and nothing is known of the upload", async () => {
  const place = new MemoryBlobs();
  const master = await startMaster(place);
  place.put = () => Promise.reject(new BlobsUnavailable("full", "The disk is full."));
  await expect(master.service.blobs.put(text("x"))).rejects.toMatchObject({ code: "storage-full" });
  place.put = () => Promise.reject(new BlobsUnavailable("io", "It is broken."));
  await expect(master.service.blobs.put(text("x"))).rejects.toMatchObject({ code: "unavailable" });
});

test("an upload that is refused leaves no object behind, and one whose outcome is unknown does", async () => {
  const place = new MemoryBlobs();
  const store = new MemoryStore({ ids: new SystemIds() });
  const refusals = ["too-many", "unavailable"] as const;
  for (const code of refusals) {
    const ask = () => Promise.reject(new OutlastError(code, "no"));
    const calls = { ids: new SystemIds(), clock: { now: () => 1 }, store, checkLeading: () => {}, ask };
    const read = <Result>(work: () => Promise<Result>) => work();
    const service = new BlobService({ ...calls, read } as unknown as ServiceCalls, place, silent);
    await expect(service.put(text("x"))).rejects.toMatchObject({ code });
  }
  expect(await objectsIn(place)).toHaveLength(1);
});

test("while its store does not commit, a leader takes no content that it could not keep", async () => {
  const place = new MemoryBlobs();
  const store = new MemoryStore({ ids: new SystemIds() });
  const clock = new FakeClock();
  const starting = startSoloMaster({ store, blobs: place, clock });
  await clock.advance(1_000);
  const master = await starting;
  const { append } = store;
  store.append = () => Promise.reject(new StoreUnavailable("full", "no room"));
  const waiting = master.service.submit([{ kind: "sleep", input: { seconds: 1 } }], null);
  waiting.catch(() => undefined);
  await clock.advance(2 * limits.commitWaitMsMax);
  await expect(master.service.blobs.put(text("x"))).rejects.toMatchObject({ code: "unavailable" });
  expect(await objectsIn(place)).toEqual([]);
  store.append = append;
  await clock.advance(2 * defaults.commitRetryMsMax);
  const stopped = master.stop();
  await clock.advance(1_000);
  await stopped;
});

test("why the place of files failed is in the log, and not told to clients", async () => {
  const place = new MemoryBlobs();
  const logged: unknown[] = [];
  const warn: Log["warn"] = (_message, fields) => void logged.push(fields?.["error"]);
  const log: Log = { debug: () => {}, info: () => {}, warn, error: () => {} };
  const master = await startSoloMaster({ blobs: place, log });
  masters.push(master);
  const error = new BlobsUnavailable("io", "answered 403 AccessDenied");
  place.stat = () => Promise.reject(error);
  const refusal = master.service.blobs.statObject("a");
  await expect(refusal).rejects.toMatchObject({ code: "unavailable" });
  await expect(refusal).rejects.not.toMatchObject({ message: expect.stringContaining("403") as string });
  expect(logged).toEqual([error]);
});

test("a master without a place for files says so", async () => {
  const master = await startMaster(null);
  await expect(master.service.blobs.put(text("x"))).rejects.toMatchObject({ code: "unavailable" });
});

test("objects have names of their own, apart from blobs", async () => {
  const { blobs } = (await startMaster(new MemoryBlobs())).service;
  const { sha256 } = await blobs.put(text("blob"));
  await blobs.putObject("jobs/1/m", text("object"));
  await expect(blobs.putObject("jobs/1/m", text("again"))).rejects.toMatchObject({ code: "conflict" });
  for (const bad of ["../blobs/x", "/x", "a//b", "a/b/c/d/e/f/g/h", "x".repeat(401), "a\0", ".x"]) {
    await expect(blobs.putObject(bad, text("x"))).rejects.toMatchObject({ code: "bad-request" });
  }
  const listed: unknown[] = [];
  for await (const object of blobs.listObjects("jobs")) listed.push(object);
  expect(listed).toEqual([{ name: "jobs/1/m", size: 6 }]);
  await blobs.deleteObjects("jobs");
  await expect(blobs.statObject("jobs/1/m")).rejects.toMatchObject({ code: "not-found" });
  expect(await blobs.stat(sha256)).toEqual({ size: 4 });
});

test("a released blob is kept until it is collected, and unknown ones are refused", async () => {
  const { blobs } = (await startMaster(new MemoryBlobs())).service;
  const { sha256 } = await blobs.put(text("x"));
  await blobs.release(sha256);
  expect(await blobs.stat(sha256)).toEqual({ size: 1 });
  await expect(blobs.release("0".repeat(64))).rejects.toMatchObject({ code: "not-found" });
});
