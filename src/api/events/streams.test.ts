/** Streams: what they bring, where they go on, and how slow or vanished readers are noticed. */

import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BootId, Nonce, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import { beatClaim, watchClaim } from "../../model/lease.ts";
import { limits } from "../../model/limits.ts";
import { peerHeader } from "../../ports/peers.ts";
import { queueWrite, workerWrite } from "../../proof/contracts/storeJournal.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { messages, RawConnection } from "../../proof/fakes/rawHttp.ts";
import { TokenCheck } from "../auth/access.ts";
import { type ApiServer, createApi } from "../http/server.ts";
import { EventStream } from "./eventStream.ts";

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

function marker() {
  return { kind: "marker", address: "http://127.0.0.1:7070", collections: {} } as const;
}

describe("events", () => {
  test("tell every kind of record, with one id at the end of each entry", async () => {
    const stream = await open("/v1/events");
    expect(stream.received).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(stream.received).toContain("x-outlast-epoch: 3");
    await master.submit([{ ...nap, id: "a", name: "nap" }], null);
    const { state, attempt, failures, kills, changedAt, ...spec } = master.tasks.get("a" as TaskId)!;
    const status = { id: spec.id, state, attempt, failures, kills, changedAt };
    const worker = {
      id: "w" as WorkerId,
      boot: "b" as BootId,
      capacity: 1,
      queues: [],
      isDraining: false,
      state: "connected" as const,
      changedAt: 1,
      hostname: "h",
      pid: 1,
      version: "1",
    };
    master.publish({ kind: "spec", spec }, { kind: "status", status: { ...status, output: { large: true } } });
    master.publish(workerWrite(worker), queueWrite({ name: "q", isPaused: true }), marker());
    master.publish(
      { kind: "forget-task", id: spec.id, queue: "default", state: "success" },
      { kind: "record", collection: "workers", id: worker.id, value: null },
    );
    await stream.until("id: 3\n");
    const place = (seq: number) => ({ seq, at: 1000 + seq });
    expect(messages(stream)).toEqual([
      {
        event: "task",
        data: { ...place(1), ...status, name: "nap", queue: "default", createdAt: 1000, startAt: null },
        id: "1",
      },
      { event: "worker", data: { ...place(2), ...worker } },
      { event: "queue", data: { ...place(2), name: "q", isPaused: true } },
      { event: "leader", data: { ...place(2), epoch: 3, address: "http://127.0.0.1:7070" }, id: "2" },
      { event: "task", data: { ...place(3), id: "a", isForgotten: true } },
      { event: "worker", data: { ...place(3), id: "w", isForgotten: true }, id: "3" },
    ]);
  });

  test("go on where a subscriber was cut, by query and by header, and the header counts more", async () => {
    for (let seq = 1; seq <= 4; seq++) master.publish(marker());
    const byQuery = await open("/v1/events?after=2");
    const byHeader = await open("/v1/events?after=0", "Last-Event-ID: 3");
    master.publish(marker());
    const seqs = async (stream: RawConnection) => {
      await stream.until("id: 5\n");
      return messages(stream).map((message) => message.id);
    };
    expect(await seqs(byQuery)).toEqual(["3", "4", "5"]);
    expect(await seqs(byHeader)).toEqual(["4", "5"]);
  });

  test("begin with a reset where the journal does not reach back, or is another one", async () => {
    master.compactedSeq = 2;
    for (let seq = 1; seq <= 4; seq++) master.publish(marker());
    for (const after of [1, 99]) {
      const stream = await open(`/v1/events?after=${after}`);
      await stream.until("event: reset");
      expect(messages(stream)).toMatchObject([{ event: "reset", data: { seq: 4 }, id: "4" }]);
      expect(master.listeners.size).toBe(1);
      stream.close();
      await vi.waitFor(() => expect(master.listeners.size).toBe(0));
    }
  });

  test("never skip an entry, and never repeat one", async () => {
    master.state = { ...master.state, role: "standby", seq: 3 };
    const ahead = await open("/v1/events?after=4");
    master.publish(marker());
    master.publish(marker());
    await ahead.until("id: 5\n");
    expect(messages(ahead).map((message) => message.id)).toEqual(["5"]);
    master.passOver();
    await ahead.closed();
    expect(messages(ahead)).toHaveLength(1);
  });

  test("without anything to tell still move the place to go on at", async () => {
    const stream = await open("/v1/events");
    master.publish();
    expect(await stream.until("id: 1\n")).not.toContain("event:");
  });

  test("end when the subscriber hangs up, cleanly or not", async () => {
    const clean = await open("/v1/events");
    const abrupt = await open("/v1/events");
    expect(master.listeners.size).toBe(2);
    clean.socket.end();
    abrupt.socket.resetAndDestroy();
    await vi.waitFor(() => expect(master.listeners.size).toBe(0));
  });

  test("of a long past are told at the reader's pace, however much there is", async () => {
    // Three times what may wait for a subscriber of the present.
    const address = "x".repeat((3 * limits.subscriberBufferBytesMax) / 100);
    for (let seq = 1; seq <= 100; seq++) master.publish({ kind: "marker", address, collections: {} });
    const stream = await open("/v1/events?after=0");
    await stream.until("id: 100\n");
    expect(messages(stream)).toHaveLength(100);
  });

  test("cut a subscriber who does not read", async () => {
    const stream = await open("/v1/events");
    stream.socket.pause();
    const address = "x".repeat(256 * 1024);
    for (let count = 0; count < 1000 && master.listeners.size > 0; count++) {
      master.publish({ kind: "marker", address, collections: {} });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(master.listeners.size).toBe(0);
  });

  test("have a bound on subscribers", async () => {
    const streams = await Promise.all(Array.from({ length: limits.eventSubscribersMax }, () => open("/v1/events")));
    expect(await (await open("/v1/events")).until("eventSubscribersMax")).toMatch(/^HTTP\/1\.1 429 /);
    streams[0]!.close();
    await vi.waitFor(() => expect(master.listeners.size).toBe(limits.eventSubscribersMax - 1));
    expect((await open("/v1/events")).received).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("a worker's stream", () => {
  const session = "3.1" as SessionId;

  test("brings one message per data line, and its closing is seen at once", async () => {
    const stream = await open("/v1/workers/w/stream?session=3.1");
    master.sinks.get(session)!.send({ kind: "beat", epoch: 3 });
    master.sinks.get(session)!.send({ kind: "drain", epoch: 3 });
    await stream.until("drain");
    expect(messages(stream)).toEqual([{ data: { kind: "beat", epoch: 3 } }, { data: { kind: "drain", epoch: 3 } }]);
    stream.socket.resetAndDestroy();
    await vi.waitFor(() => expect(master.closedSessions).toEqual([session]));
  });

  test("is ended by the master, with what was sent before", async () => {
    const stream = await open("/v1/workers/w/stream?session=3.1");
    const sink = master.sinks.get(session)!;
    sink.send({ kind: "drain", epoch: 3 });
    sink.close();
    sink.send({ kind: "beat", epoch: 3 });
    expect(await stream.closed()).toContain("drain");
    expect(stream.received).not.toContain("beat");
    await vi.waitFor(() => expect(master.closedSessions).toEqual([session]));
  });

  test("holds an assignment larger than a subscriber may have waiting", async () => {
    const stream = await open("/v1/workers/w/stream?session=3.1");
    const input = "x".repeat(4 * limits.subscriberBufferBytesMax);
    const assignment = {
      task: "a" as TaskId,
      attempt: 1,
      assignedAt: 1,
      name: "a",
      kind: "exec" as const,
      input,
      timeoutMs: null,
    };
    master.sinks.get(session)!.send({ kind: "assign", epoch: 3, assignments: [assignment] });
    master.sinks.get(session)!.send({ kind: "beat", epoch: 3 });
    await stream.until('"beat"');
    expect(master.closedSessions).toEqual([]);
  });
});

describe("a lifeline", () => {
  test("says nothing, needs no token, and ends with the server", async () => {
    const guarded = createApi({ master, log: silent, token: "a-token-of-some-length" });
    const where = await guarded.listen({ address: "127.0.0.1", port: 0 });
    const lifeline = await RawConnection.get(where, "/healthz/lifeline");
    connections.push(lifeline);
    expect(lifeline.received).toContain("text/event-stream");
    await guarded.close();
    expect(messages(lifeline)).toEqual([]);
    await lifeline.closed();
  });

  test("tells of the leader's lease to masters with the same token only, and signs it", async () => {
    const token = "a-token-of-some-length";
    const guarded = createApi({ master, log: silent, token });
    const where = await guarded.listen({ address: "127.0.0.1", port: 0 });
    const path = "/healthz/lifeline";
    const key = new TokenCheck(token);
    const claim = watchClaim(master.state.address);
    const strangers = [
      await RawConnection.get(where, path),
      await RawConnection.get(where, path, `${peerHeader}: ${new TokenCheck("another").sign(claim)}`),
      // Overheard at the address of another master.
      await RawConnection.get(where, path, `${peerHeader}: ${key.sign(watchClaim("http://127.0.0.1:7071"))}`),
    ];
    const peer = await RawConnection.get(where, path, `${peerHeader}: ${key.sign(claim)}`);
    connections.push(...strangers, peer);
    const beat = { epoch: 3, nonce: "own" as Nonce, beat: 4, isResigned: false, ttlMs: 2000, seq: 5 };
    for (const listener of master.beatListeners) listener(beat);
    // The empty line ends it: no reader looks at it before.
    await peer.until('"}\n\n');
    const [told] = messages(peer);
    expect(told).toEqual({ event: "leader", data: { ...beat, signature: expect.any(String) } });
    expect(key.verifies(beatClaim(beat), String((told as { data: { signature: unknown } }).data.signature))).toBe(true);
    await guarded.close();
    for (const stranger of strangers) {
      await stranger.closed();
      expect(stranger.received).toMatch(/^HTTP\/1\.1 200 /);
      expect(messages(stranger)).toEqual([]);
    }
    await peer.closed();
    expect(master.beatListeners.size).toBe(0);
  });

  test("tells nobody without a credential any more once there are users", async () => {
    const stranger = await open("/healthz/lifeline");
    const beat = { epoch: 3, nonce: "own" as Nonce, beat: 4, isResigned: false, ttlMs: 2000, seq: 5 };
    for (const listener of master.beatListeners) listener(beat);
    await stranger.until('"seq":5}\n\n');
    const first = { name: "first", role: "admin", hash: "", createdAt: 1, createdBy: "operator" } as const;
    master.principals.tokensBySecret.set("the-first-token", first);
    for (const listener of master.beatListeners) listener({ ...beat, beat: 5 });
    await api.close();
    await stranger.closed();
    expect(messages(stranger)).toEqual([{ event: "leader", data: beat }]);
  });

  test("is refused beyond a bound", async () => {
    const held = await Promise.all(Array.from({ length: limits.livenessStreamsMax }, () => open("/healthz/lifeline")));
    expect((await open("/healthz/lifeline")).received).toMatch(/^HTTP\/1\.1 429 /);
    expect(held.every((connection) => connection.received.startsWith("HTTP/1.1 200"))).toBe(true);
  });
});

describe("a stream whose reader takes nothing", () => {
  afterEach(() => vi.restoreAllMocks());

  function stuckStream() {
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const written: Buffer[] = [];
    const taken: (() => void)[] = [];
    const socket = { destroyed: false, setNoDelay() {}, once() {} };
    const response = {
      socket,
      once() {},
      writeHead() {},
      flushHeaders() {},
      destroy() {},
      write(chunk: Buffer, callback: () => void) {
        written.push(chunk);
        taken.push(callback);
      },
    } as unknown as ServerResponse;
    const ends: string[] = [];
    const bounds = { bufferBytesMax: 1000, stallMsMax: 100 };
    const stream = new EventStream(
      response,
      bounds,
      () => ({}),
      (end) => ends.push(end),
    );
    stream.start();
    return { stream, written, ends, take: () => taken.shift()?.(), at: (ms: number) => void (now = ms) };
  }

  test("is cut after a while, counted from the last progress", async () => {
    const { stream, ends, take, at } = stuckStream();
    at(1000);
    stream.send("a");
    await Promise.resolve();
    at(1100);
    stream.check(null);
    stream.send("b");
    take();
    at(1200);
    stream.check(null);
    expect(ends).toEqual([]);
    at(1201);
    stream.check(null);
    expect(ends).toEqual(["stalled"]);
  });

  test("is never cut while nothing waits, but pinged", async () => {
    const { stream, written, ends, at } = stuckStream();
    at(1e9);
    stream.check(10);
    await Promise.resolve();
    expect(ends).toEqual([]);
    expect(Buffer.concat(written).toString()).toBe(":\n\n");
  });

  test("coalesces what is sent in one go and while a write is under way", async () => {
    const { stream, written, take } = stuckStream();
    for (const text of ["a", "b", "c"]) stream.send(text);
    await Promise.resolve();
    for (const text of ["d", "e"]) stream.send(text);
    await Promise.resolve();
    take();
    expect(written.map(String)).toEqual(["abc", "de"]);
  });

  test("may have one message beyond the bound, not two", async () => {
    const { stream, ends } = stuckStream();
    stream.send("x".repeat(5000));
    expect(ends).toEqual([]);
    stream.send("y");
    expect(ends).toEqual(["buffer-full"]);
    await stream.drained();
  });
});
