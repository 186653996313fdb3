/** The collection of blobs over a whole master: what goes, and all that keeps a blob whose lease is over. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryBlobs } from "../blobs/memory/blobs.ts";
import { toBlobReference } from "../model/blob.ts";
import type { BootId, Incarnation, SessionId, TaskId, WorkerId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import { protocolVersions, type ReportItem } from "../model/protocol.ts";
import { SystemIds } from "../node/ids.ts";
import { startSoloMaster } from "../proof/fakes/soloMaster.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import type { Master } from "./master.ts";

const worker = "w" as WorkerId;
const boot = "b" as BootId;

let store: MemoryStore;
let place: MemoryBlobs;
let master: Master;

beforeEach(async () => {
  store = new MemoryStore({ ids: new SystemIds() });
  place = new MemoryBlobs();
  // A blob whose lease is over is marked by one look and removed by the next.
  master = await startSoloMaster({ store, blobs: place, settings: { blobCollectMs: 1, blobRemoveWaitMs: 0 } });
});
afterEach(() => master.stop());

async function until(isThere: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isThere())) await new Promise((resolve) => setImmediate(resolve));
}

async function upload(text: string): Promise<string> {
  async function* content() {
    yield Buffer.from(text);
  }
  return (await master.service.blobs.put(content())).sha256;
}

/** Resolves when the collector has looked, marked and removed since this call. */
async function collected(): Promise<void> {
  const canary = await upload(`canary ${Math.random()}`);
  await master.service.blobs.release(canary);
  await until(async () => (await store.readRecord("blobs", canary)) === null);
}

async function isKept(sha256: string): Promise<boolean> {
  return (await store.readRecord("blobs", sha256)) !== null;
}

const fileTask = (sha256: string): Json => ({ command: ["cat", "f"], files: { f: toBlobReference(sha256) } });

test("a blob that nothing refers to goes with its object, and can be uploaded again", async () => {
  const sha256 = await upload("x");
  await collected();
  // Its lease runs.
  expect(await isKept(sha256)).toBe(true);
  await master.service.blobs.release(sha256);
  await until(async () => !(await isKept(sha256)));
  await until(async () => {
    for await (const _ of place.list("blobs")) return false;
    return true;
  });
  await expect(master.service.blobs.read(sha256)).rejects.toMatchObject({ code: "not-found" });
  expect((await master.service.blobs.stat(await upload("x"))).size).toBe(1);
});

describe("a blob whose lease is over is kept", () => {
  test("by a task that names it, until that is forgotten", async () => {
    const sha256 = await upload("x");
    const [task] = await master.service.submit([{ id: "t", kind: "exec", input: fileTask(sha256) }], null);
    await master.service.blobs.release(sha256);
    await collected();
    expect(await isKept(sha256)).toBe(true);
    await master.service.cancel(task!.id);
    await collected();
    // It may be retried.
    expect(await isKept(sha256)).toBe(true);
  });

  test("by a handler's input that names it somewhere", async () => {
    const sha256 = await upload("x");
    await master.service.submit([{ kind: "resize", input: { images: [{ source: toBlobReference(sha256) }] } }], null);
    await master.service.blobs.release(sha256);
    await collected();
    expect(await isKept(sha256)).toBe(true);
  });

  test("by a version of a template, also an old one", async () => {
    const sha256 = await upload("x");
    const template = (input: Json): Json => ({ task: { kind: "exec", input } });
    await master.service.templates.put("t", template(fileTask(sha256)));
    await master.service.templates.put("t", template({ command: ["true"] }));
    await master.service.blobs.release(sha256);
    await collected();
    expect(await isKept(sha256)).toBe(true);
  });

  test("as the default of a template's variable", async () => {
    const sha256 = await upload("x");
    const variables = { file: { type: "string", default: toBlobReference(sha256) } };
    const input = { command: ["cat", "f"], files: { f: "${file}" } };
    await master.service.templates.put("t", { variables, task: { kind: "exec", input } });
    await master.service.blobs.release(sha256);
    await collected();
    expect(await isKept(sha256)).toBe(true);
  });

  test("by a signal that its task has not received yet", async () => {
    const sha256 = await upload("x");
    await master.service.submit([{ id: "t", kind: "handler", input: {} }], null);
    await master.service.signal("t" as TaskId, { id: "s", name: "go", payload: { file: toBlobReference(sha256) } });
    await master.service.blobs.release(sha256);
    await collected();
    expect(await isKept(sha256)).toBe(true);
  });

  describe("by what a running attempt has told", () => {
    let session: SessionId;

    beforeEach(async () => {
      await master.service.submit([{ id: "t", kind: "handler", input: {} }], null);
      ({ session } = await master.service.attach(
        worker,
        {
          ...{ boot, capacity: 1, queues: ["default"], kinds: ["handler"], running: [], outbox: [], isDraining: false },
          ...{ protocol: protocolVersions.min, protocolMax: protocolVersions.max, epochMax: 0 },
          ...{ incarnation: null as Incarnation | null, probePort: null, hostname: "h", pid: 1, version: "0" },
        },
        "h",
      ));
      master.service.openStream(worker, session, { send: () => {}, close: () => {} });
      await until(async () => (await master.service.readTask("t" as TaskId))?.state === "running");
    });

    async function report(item: object): Promise<unknown> {
      const task = await master.service.readTask("t" as TaskId);
      const attempt = { task: "t", attempt: task?.attempt, assignedAt: task?.assignedAt };
      const items = [{ id: Math.ceil(performance.now() * 1000), ...attempt, ...item }] as unknown as ReportItem[];
      const { acks } = await master.service.report(worker, {
        boot,
        session,
        epoch: master.service.status().epoch,
        items,
      });
      return acks?.[0];
    }

    const ending = (outcome: string, more: object = {}) =>
      report({ kind: "result", boot, outcome, startedAt: 1, endedAt: 2, ...more });
    const artifact = (sha256: string) =>
      report({ kind: "artifacts", first: 0, files: [{ path: "out/a", sha256, size: 1 }] });

    test("in a step", async () => {
      const sha256 = await upload("x");
      await report({ kind: "step", key: "k", value: { file: toBlobReference(sha256) } });
      await master.service.blobs.release(sha256);
      await collected();
      expect(await isKept(sha256)).toBe(true);
    });

    test("in its output", async () => {
      const sha256 = await upload("x");
      await ending("success", { output: [toBlobReference(sha256)] });
      await master.service.blobs.release(sha256);
      await collected();
      expect(await isKept(sha256)).toBe(true);
    });

    test("in its output, and by the task that takes it as its input", async () => {
      const sha256 = await upload("x");
      const input = { file: "${tasks.t.output}" };
      await master.service.submit([{ id: "u", kind: "later", input, after: ["t"] }], null);
      await ending("success", { output: toBlobReference(sha256) });
      await until(async () => (await master.service.readTask("u" as TaskId))?.state === "created");
      const { records } = await store.listRecords("blobPins", { idPrefix: sha256, limit: 10 });
      expect(records.map(({ value }) => value.task)).toEqual(["t", "u"]);
    });

    test("as an artifact, which is shown once the attempt is committed", async () => {
      const sha256 = await upload("x");
      expect(await artifact(sha256)).toMatchObject({ verdict: "committed" });
      await master.service.blobs.release(sha256);
      await collected();
      expect(await isKept(sha256)).toBe(true);
      expect(await master.service.views.artifacts("t" as TaskId)).toEqual([]);
      await ending("success");
      expect(await master.service.views.artifacts("t" as TaskId)).toMatchObject([{ path: "out/a", sha256, size: 1 }]);
      await collected();
      expect(await isKept(sha256)).toBe(true);
    });

    test("but not as an artifact of an attempt that failed", async () => {
      const sha256 = await upload("x");
      await artifact(sha256);
      await ending("failed", { error: { code: "exit", message: "It failed." } });
      await master.service.blobs.release(sha256);
      await until(async () => !(await isKept(sha256)));
      expect(await master.service.views.artifacts("t" as TaskId)).toEqual([]);
    });

    test("an artifact whose blob is not there is refused, and so are too many", async () => {
      expect(await artifact("0".repeat(64))).toMatchObject({ verdict: "refused", code: "conflict" });
      const sha256 = await upload("x");
      const files = [{ path: "a", sha256, size: 1 }];
      expect(await report({ kind: "artifacts", first: 1000, files })).toMatchObject({ code: "too-many" });
    });
  });
});

test("a task that needs a blob which is not there is refused, with all of its batch", async () => {
  const missing = "0".repeat(64);
  const submissions = [
    { id: "good", kind: "sleep", input: { seconds: 1 } },
    { id: "bad", kind: "exec", input: fileTask(missing) },
  ];
  await expect(master.service.submit(submissions, null)).rejects.toMatchObject({
    code: "invalid",
    details: { blob: missing },
  });
  expect(await master.service.readTask("good" as TaskId)).toBeNull();
});

test("an object that no blob names goes once it is old, and a young one stays", async () => {
  async function* content() {
    yield Buffer.from("x");
  }
  await place.put("blobs/01AN4Z07BY79KA1307SR9X4MV3", content(), 10);
  const young = `blobs/${new SystemIds().task(Date.now())}`;
  await place.put(young, content(), 10);
  await place.put("blobs/not-ours", content(), 10);
  await until(async () => (await place.stat("blobs/01AN4Z07BY79KA1307SR9X4MV3")) === null);
  await collected();
  expect(await place.stat(young)).not.toBeNull();
  expect(await place.stat("blobs/not-ours")).not.toBeNull();
});
