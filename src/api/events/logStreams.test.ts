/** Following the log of a task: across its attempts, cuts and changes of the leader. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { messages, RawConnection } from "../../proof/fakes/rawHttp.ts";
import { type ApiServer, createApi } from "../http/server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const nap = { kind: "sleep" as const, input: { seconds: 1 } };

let master: FakeMasterApi;
let api: ApiServer;
let url: string;
const connections: RawConnection[] = [];

beforeEach(async () => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
  url = await api.listen({ address: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await api.close();
});

async function open(path: string, ...headers: string[]): Promise<RawConnection> {
  const connection = await RawConnection.get(url, path, ...headers);
  connections.push(connection);
  return connection;
}

/** What an answer says: the bytes, how many are missing in front of them, and where to go on. */
async function page(query: string): Promise<readonly unknown[]> {
  const answer = await fetch(`${url}/v1/tasks/a/logs${query}`);
  const { headers } = answer;
  return [await answer.text(), headers.get("x-outlast-missing"), headers.get("x-outlast-next-offset")];
}

describe("following a log", () => {
  const task = "a" as TaskId;
  const piece = (attempt: number, offset: number, bytes: Buffer | string): LogChunk => ({
    task,
    attempt,
    offset,
    at: 1,
    bytes: Buffer.from(bytes as string),
    isTruncated: false,
  });

  test("goes through all attempts and ends with the task", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    const stream = await open("/v1/tasks/a/logs?follow=true");
    master.change(task, { state: "running", attempt: 1 });
    await stream.until("event: attempt");
    master.addLogs(piece(1, 0, "one"));
    await stream.until("one");
    master.change(task, { state: "retrying", attempt: 1, logBytes: 3 });
    master.change(task, { state: "running", attempt: 2 });
    await stream.until('{"attempt":2}');
    master.addLogs(piece(2, 0, Buffer.from([0xff, 0x00])));
    await stream.until("base64");
    master.change(task, { state: "success", attempt: 2, logBytes: 5 });
    master.addLogs(piece(2, 2, "end"));
    await stream.closed();
    expect(messages(stream)).toEqual([
      { event: "attempt", data: { attempt: 1 } },
      { event: "log", data: { attempt: 1, offset: 0, text: "one" }, id: "1:3" },
      { event: "attempt", data: { attempt: 2 } },
      { event: "log", data: { attempt: 2, offset: 0, base64: "/wA=" }, id: "2:2" },
      { event: "log", data: { attempt: 2, offset: 2, text: "end" }, id: "2:5" },
      { event: "end", data: { state: "success", attempt: 2, offset: 5 } },
    ]);
    expect([master.listeners.size, master.logListeners.size]).toEqual([0, 0]);
  });

  test("waits for the last of it, however long the task had been silent before it ended", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    const stream = await open("/v1/tasks/a/logs?follow=true");
    master.change(task, { state: "running", attempt: 1 });
    await stream.until("event: attempt");
    const realNow = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => realNow() + 60_000);
    master.change(task, { state: "success", attempt: 1, logBytes: 4 });
    // The follower has seen the end by the time that this has been answered.
    await fetch(`${url}/healthz`);
    master.addLogs(piece(1, 0, "last"));
    await stream.closed();
    vi.restoreAllMocks();
    expect(messages(stream)).toMatchObject([
      { event: "attempt" },
      { event: "log", data: { text: "last" } },
      { event: "end", data: { offset: 4 } },
    ]);
  });

  test("tells what has not come: between two pieces, at the end of an attempt, and of a worker that was lost", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    const place = { host: "w" as WorkerId, boot: "b" as BootId, assignedAt: 1, startedAt: 2 };
    master.addLogs(piece(1, 0, "one"), piece(1, 5, "two"));
    master.change(task, { state: "killed", attempt: 1, ...place });
    const stream = await open("/v1/tasks/a/logs?follow=true");
    await stream.until("two");
    expect(await page("?attempt=1")).toEqual(["one", null, "3"]);
    expect(await page("?attempt=1&offset=3")).toEqual(["two", "2", "8"]);
    expect(await page("?attempt=1&offset=8")).toEqual(["", "some", "8"]);
    const end = { state: "success", attempt: 1, ...place, endedAt: 3, logBytes: 10 } as const;
    master.change(task, end);
    expect(await page("?offset=8")).toEqual(["", "2", "8"]);
    // By then the follower has waited for the rest, and need not wait any longer.
    const realNow = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => realNow() + 60_000);
    master.change(task, end);
    await stream.closed();
    vi.restoreAllMocks();
    expect(messages(stream)).toEqual([
      { event: "log", data: { attempt: 1, offset: 0, text: "one" }, id: "1:3" },
      { event: "missing", data: { attempt: 1, offset: 3, bytes: 2 } },
      { event: "log", data: { attempt: 1, offset: 5, text: "two" }, id: "1:8" },
      { event: "missing", data: { attempt: 1, offset: 8, bytes: 2 } },
      { event: "end", data: { state: "success", attempt: 1, offset: 8 } },
    ]);
  });

  test("goes on behind the last event that was seen", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    master.addLogs(piece(1, 0, "first "), piece(1, 6, "second"));
    master.change(task, { state: "success", attempt: 1, logBytes: 12 });
    const stream = await open("/v1/tasks/a/logs?follow=true", "Last-Event-ID: 1:6");
    await stream.closed();
    expect(messages(stream)).toMatchObject([{ event: "log", data: { text: "second" } }, { event: "end" }]);
  });

  test.each(["a", "\n", "\u0000", "ä"])("reaches the end of a log of many full pieces of %j", async (character) => {
    await master.submit([{ ...nap, id: "a" }], null);
    const bytes = Buffer.alloc(limits.logChunkBytesMax, character);
    const count = 40;
    master.addLogs(...Array.from({ length: count }, (_, index) => piece(1, index * bytes.length, bytes)));
    master.change(task, { state: "success", attempt: 1, logBytes: count * bytes.length });
    const stream = await open("/v1/tasks/a/logs?follow=true");
    await stream.closed();
    const told = messages(stream);
    expect(told).toHaveLength(count + 1);
    expect(told.at(-1)).toMatchObject({ event: "end", data: { offset: count * bytes.length } });
  });

  test("of a task that never ran ends at once, and of none is refused", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    master.change(task, { state: "cancelled" });
    expect(await (await open("/v1/tasks/a/logs?follow=true")).closed()).toContain("event: end");
    expect((await open("/v1/tasks/b/logs?follow=true")).received).toMatch(/^HTTP\/1\.1 404 /);
    expect(master.listeners.size).toBe(0);
  });

  test("looks anew when changes were passed over, and when another master leads", async () => {
    for (const unsettle of [
      () => master.passOver(),
      () => master.publish({ kind: "marker", address: "http://127.0.0.1:7070", collections: {} }),
    ]) {
      await master.submit([{ ...nap, id: "a" }], null);
      master.change(task, { state: "running", attempt: 1 });
      const stream = await open("/v1/tasks/a/logs?follow=true");
      await vi.waitFor(() => expect(master.logListeners.size).toBe(1));
      // Told to nobody.
      master.tasks.set(task, { ...master.tasks.get(task)!, state: "success", logBytes: 0 });
      unsettle();
      expect(await stream.closed()).toContain('"state":"success"');
      master.tasks.clear();
    }
  });

  test("finds what was written on a standby too, where nobody tells of it", async () => {
    master.state = { ...master.state, role: "standby", leader: "http://127.0.0.1:1" };
    await master.submit([{ ...nap, id: "a" }], null);
    master.change(task, { state: "running", attempt: 1 });
    const stream = await open("/v1/tasks/a/logs?follow=true");
    await vi.waitFor(() => expect(master.logListeners.size).toBe(1));
    master.logs.push(piece(1, 0, "one"));
    await stream.until("one");
    master.change(task, { state: "success", attempt: 1 });
    master.logs.push(piece(1, 3, "two"));
    await stream.closed();
    expect(messages(stream)).toMatchObject([
      { event: "log", data: { text: "one" } },
      { event: "log", data: { text: "two" } },
      { event: "end", data: { offset: 6 } },
    ]);
  });

  test("stops listening when the reader goes", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    master.change(task, { state: "running", attempt: 1 });
    const stream = await open("/v1/tasks/a/logs?follow=true");
    await vi.waitFor(() => expect([master.listeners.size, master.logListeners.size]).toEqual([1, 1]));
    stream.close();
    await vi.waitFor(() => expect([master.listeners.size, master.logListeners.size]).toEqual([0, 0]));
  });
});
