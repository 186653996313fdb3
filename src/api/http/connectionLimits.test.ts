/** What happens on the wire itself: sizes counted as they come, garbage, smuggling, tokens, and how the server ends. */
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectNow, type Server } from "node:net";
import { PassThrough } from "node:stream";
import fastify from "fastify";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { limits } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { RawConnection } from "../../proof/fakes/rawHttp.ts";
import { boundPerAddress, boundRequestTime } from "./connectionLimits.ts";
import { type ApiServer, createApi } from "./server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

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
  expect(master.calls).toEqual([]);
});

async function connect(): Promise<RawConnection> {
  const connection = await RawConnection.open(url);
  connections.push(connection);
  return connection;
}

/** Sends lines, ended by an empty one, and gives all that comes until the server hangs up. */
async function exchange(...lines: string[]): Promise<string> {
  const connection = await connect();
  connection.send(`${lines.join("\r\n")}\r\n\r\n`);
  return connection.closed();
}

/** The state of a connection in /proc/net/tcp whose first packet has not been answered. */
const synSent = "02";

const host = "Host: localhost";
const json = "Content-Type: application/json";

describe("large bodies", () => {
  /** The head of one, which asks before it sends the rest. */
  async function announce(path: string, bytes: number): Promise<RawConnection> {
    const connection = await connect();
    const lines = [`POST ${path} HTTP/1.1`, host, json, `Content-Length: ${bytes}`, "Expect: 100-continue"];
    connection.send(`${lines.join("\r\n")}\r\n\r\n`);
    await connection.until("HTTP/1.1 ");
    return connection;
  }

  test("are refused while as many are held as may be, except for small ones and those of workers", async () => {
    const bytes = limits.batchBodyBytesMax;
    const held: RawConnection[] = [];
    while (held.length < limits.bodiesBytesMax / bytes) held.push(await announce("/v1/tasks/batch", bytes));
    for (const { received } of held) expect(received).toMatch(/^HTTP\/1\.1 100 /);

    const refused = await (await announce("/v1/tasks/batch", bytes)).closed();
    expect(refused).toMatch(/^HTTP\/1\.1 429 [^]*retry-after: 1[^]*"limit":"bodiesBytesMax"/);
    const small = await fetch(`${url}/v1/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(small.status).toBe(422);
    expect((await announce("/v1/workers/w/reports", bytes)).received).toMatch(/^HTTP\/1\.1 100 /);

    for (const connection of held) connection.close();
    await expect.poll(async () => (await announce("/v1/tasks/batch", bytes)).received).toMatch(/^HTTP\/1\.1 100 /);
  });
});

describe("requests without a body", () => {
  test("leave the connection open for the next ones when they are refused", async () => {
    const connection = await connect();
    const lines = ["/nowhere", "/v1/events?after=x", "/healthz"].map(
      (path) => `GET ${path} HTTP/1.1\r\n${host}\r\n\r\n`,
    );
    connection.send(lines.join(""));
    await connection.until('"alive"');
    expect(connection.received.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 404", "HTTP/1.1 400", "HTTP/1.1 200"]);
    expect(connection.received.toLowerCase()).not.toContain("connection: close");
  });

  test("may expect what is unknown here", async () => {
    const connection = await connect();
    connection.send(`GET /healthz HTTP/1.1\r\n${host}\r\nExpect: the-best\r\n\r\n`);
    expect(await connection.until('"alive"')).toMatch(/HTTP\/1\.1 200 /);
  });
});

describe("bodies", () => {
  test("that say they are too large are refused before they come, and the connection ends", async () => {
    const answer = await exchange("POST /v1/tasks HTTP/1.1", host, json, `Content-Length: ${limits.bodyBytesMax + 1}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain("connection: close");
    expect(answer).toContain('"limit":"bodyBytesMax"');
  });

  test("without end are counted as they come", async () => {
    const connection = await connect();
    connection.send(`POST /v1/tasks HTTP/1.1\r\n${host}\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
    for (let sent = 0; sent <= limits.bodyBytesMax; sent += 0x10000) connection.send(chunk);
    const answer = await connection.until("bodyBytesMax");
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain("connection: close");
    await connection.closed();
  });

  test("of NDJSON without end as well", async () => {
    const connection = await connect();
    connection.send(
      `POST /v1/tasks/batch HTTP/1.1\r\n${host}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = `100000\r\n${" ".repeat(0x100000)}\r\n`;
    connection.send(chunk);
    connection.send(chunk);
    expect(await connection.until("bodyBytesMax")).toMatch(/^HTTP\/1\.1 413 /);
    await connection.closed();
  });

  test("whose senders hang up in the middle change nothing", async () => {
    const connection = await connect();
    connection.send(`POST /v1/tasks HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 60\r\n\r\n{"kind":"sleep",`);
    connection.socket.end();
    await connection.closed();
    expect(master.tasks.size).toBe(0);
  });

  test("are asked for only where they are wanted", async () => {
    const head = ["POST /v1/tasks HTTP/1.1", host, json, "Expect: 100-continue"];
    const refused = await exchange(...head, `Content-Length: ${limits.bodyBytesMax + 1}`);
    expect(refused).toMatch(/^HTTP\/1\.1 413 /);
    const asked = await connect();
    asked.send(`${[...head, "Content-Length: 2"].join("\r\n")}\r\n\r\n`);
    await asked.until("100 Continue");
    asked.send("{}");
    expect(await asked.until("is missing")).toContain("HTTP/1.1 422 ");
  });

  test("that are refused for their head are let run out, so that the answer is read", async () => {
    const connection = await connect();
    const size = 8 * 1024 * 1024;
    connection.send(`POST /nowhere HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: ${size}\r\n\r\n`);
    for (let sent = 0; sent < size; sent += 0x100000) connection.send(" ".repeat(0x100000));
    expect(await connection.closed()).toContain('"code":"not-found"');
  });
});

describe("heads", () => {
  test("that are too long", async () => {
    const answer = await exchange("GET /healthz HTTP/1.1", host, `X-Long: ${"x".repeat(limits.headerBytesMax)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"limit":"headerBytesMax"');
  });

  test.each([
    ["no HTTP at all", ["hello"]],
    [
      "two ways to measure a body",
      ["POST /v1/tasks HTTP/1.1", host, json, "Content-Length: 4", "Transfer-Encoding: chunked"],
    ],
    ["two lengths", ["POST /v1/tasks HTTP/1.1", host, json, "Content-Length: 4", "Content-Length: 5"]],
    ["a length that is no number", ["POST /v1/tasks HTTP/1.1", host, json, "Content-Length: -1"]],
    ["a folded header", ["GET /healthz HTTP/1.1", host, "X-A: 1", " folded"]],
    ["a space before the colon", ["GET /healthz HTTP/1.1", "Host : localhost"]],
    ["an unknown transfer encoding", ["POST /v1/tasks HTTP/1.1", host, json, "Transfer-Encoding: chunked, identity"]],
  ])("that are %s", async (_what, lines) => {
    const answer = await exchange(...lines);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.toLowerCase()).toContain("connection: close");
    expect(answer).toContain('{"error":{"code":"bad-request"');
  });

  test.each(["X-No-Host: 1", "Host:"])("without a host: %s", async (line) => {
    expect(await exchange("GET /healthz HTTP/1.1", line, "Connection: close")).toContain(
      "The request has no Host header.",
    );
  });

  test("that ask for another protocol are answered in this one", async () => {
    const answer = await exchange(
      "GET /healthz HTTP/1.1",
      host,
      "Connection: Upgrade, HTTP2-Settings, close",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMA",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("one behind the other are answered in order", async () => {
    const connection = await connect();
    connection.send(`GET /healthz HTTP/1.1\r\n${host}\r\n\r\nGET /v1/queues HTTP/1.1\r\n${host}\r\n\r\n`);
    const answers = await connection.until('"queues"');
    expect(answers.indexOf('"alive"')).toBeLessThan(answers.indexOf('"queues"'));
  });
});

test("a request that does not arrive in time is answered and cut off", async () => {
  const server = fastify();
  boundRequestTime(server, 20);
  server.post("/", () => "answered");
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  const connection = await RawConnection.open(address);
  connections.push(connection);
  connection.send(`POST / HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 10\r\n\r\n{"a`);
  expect(await connection.closed()).toMatch(/^HTTP\/1\.1 408 [^]*"limit":"requestWaitMsMax"/);
  await server.close();
});

test("so is one that was answered before it had arrived, if its rest does not come", async () => {
  const server = fastify();
  boundRequestTime(server, 20);
  server.addHook("onRequest", (_request, reply) => reply.send("answered"));
  server.post("/", () => "never reached");
  const connection = await RawConnection.open(await server.listen({ host: "127.0.0.1", port: 0 }));
  connections.push(connection);
  connection.send(`POST / HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 10\r\n\r\n{"a`);
  expect(await connection.closed()).toMatch(/^HTTP\/1\.1 200 [^]*answered$/);
  await server.close();
});

test("one that comes in one piece needs no timer", async () => {
  const server = fastify();
  const waitMs = 12_345;
  boundRequestTime(server, waitMs);
  server.post("/", () => "answered");
  const connection = await RawConnection.open(await server.listen({ host: "127.0.0.1", port: 0 }));
  connections.push(connection);
  const timers = vi.spyOn(globalThis, "setTimeout");
  onTestFinished(() => timers.mockRestore());
  const request = `POST / HTTP/1.1\r\n${host}\r\n${json}\r\nContent-Length: 2\r\n\r\n`;
  connection.send(`${request}{}`);
  await connection.until("answered");
  expect(timers.mock.calls.filter(([, ms]) => ms === waitMs)).toEqual([]);
  connection.send(`${request}{`);
  await vi.waitFor(() => expect(timers.mock.calls.filter(([, ms]) => ms === waitMs)).toHaveLength(1));
  await server.close();
});

describe("connections", () => {
  test("are bounded in number, and in the time that they may take", () => {
    const { server } = api.http;
    expect(server.maxConnections).toBe(limits.connectionsMax);
    expect(server.headersTimeout).toBe(limits.headersWaitMsMax);
    expect(server.keepAliveTimeout).toBe(limits.idleConnectionMsMax);
  });

  test.runIf(process.platform === "linux")(
    "find room in the queue of the system though a thousand come at once",
    async () => {
      const { hostname, port } = new URL(url);
      const sockets = Array.from({ length: 1000 }, () => connectNow(Number(port), hostname));
      // They connect in this turn of the loop, and nothing is accepted before the next one.
      await new Promise((resolve) => process.nextTick(resolve));
      const trying = readFileSync("/proc/net/tcp", "utf8")
        .split("\n")
        .filter((line) => line.includes(`:${Number(port).toString(16).toUpperCase().padStart(4, "0")} ${synSent} `));
      for (const socket of sockets) socket.destroy();
      expect(trying).toEqual([]);
    },
  );

  test("are bounded in number from one address; when one closes there is room for another", async () => {
    const server = new EventEmitter() as Server;
    boundPerAddress(server, 2);
    const come = (remoteAddress: string | undefined) => {
      const socket = Object.assign(new PassThrough(), { remoteAddress });
      server.emit("connection", socket);
      return socket;
    };
    const [first, second, third] = [come("10.0.0.1"), come("10.0.0.1"), come("10.0.0.1")];
    expect([first, second, third].map(({ destroyed }) => destroyed)).toEqual([false, false, true]);
    expect(come("10.0.0.2").destroyed).toBe(false);
    expect(come(undefined).destroyed).toBe(false);
    await Promise.all([first, third].map(async (socket) => once(socket.destroy(), "close")));
    expect([come("10.0.0.1").destroyed, come("10.0.0.1").destroyed]).toEqual([false, true]);
  });

  test("end with the server: idle ones, streams, and requests under way", async () => {
    const idle = await connect();
    idle.send(`GET /healthz HTTP/1.1\r\n${host}\r\n\r\n`);
    await idle.until("alive");
    const stream = await connect();
    stream.send(`GET /v1/events HTTP/1.1\r\n${host}\r\n\r\n`);
    await stream.until("event-stream");
    const silentOne = await connect();
    await api.close();
    await Promise.all([idle.closed(), stream.closed(), silentOne.closed()]);
    expect(master.listeners.size).toBe(0);
  });
});
