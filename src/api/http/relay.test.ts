/** What a standby passes on, byte for byte, to a leader that answers well, badly or not at all. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { limits } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { RawConnection } from "../../proof/fakes/rawHttp.ts";
import { type ApiServer, createApi } from "./server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const token = "a-token-of-some-length";

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

let leader: Server;
let leaderUrl: string;
let handle: Handler;
let standby: FakeMasterApi;
let api: ApiServer;
let url: string;
const connections: RawConnection[] = [];

beforeEach(async () => {
  handle = (_request, response) => response.end("{}");
  leader = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => leader.listen(0, "127.0.0.1", resolve));
  leaderUrl = `http://127.0.0.1:${(leader.address() as AddressInfo).port}`;
  standby = new FakeMasterApi();
  standby.state = { ...standby.state, role: "standby", leader: leaderUrl };
  api = createApi({ master: standby, log: silent, token });
  url = await api.listen({ address: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  leader.closeAllConnections();
  leader.close();
  await api.close();
});

function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
  return fetch(url + path, { ...init, headers });
}

async function raw(head: string): Promise<RawConnection> {
  const connection = await RawConnection.open(url);
  connections.push(connection);
  connection.send(head.replaceAll("\n", "\r\n"));
  return connection;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return text;
}

const authorized = `Host: localhost\nAuthorization: Bearer ${token}\n`;

describe("a request to a standby", () => {
  test("goes to the leader as it came, without what belongs to its connection", async () => {
    let seen: { method: string | undefined; url: string | undefined; headers: NodeJS.Dict<string | string[]> } | null =
      null;
    let body = "";
    handle = async (request, response) => {
      seen = { method: request.method, url: request.url, headers: request.headers };
      body = await bodyOf(request);
      response.writeHead(201, { "content-type": "application/json", "x-outlast-seq": "77", location: "/v1/tasks/a" });
      response.end('{"id":"a","isNew":true}');
    };
    const answer = await call("/v1/tasks?%7e=x", {
      method: "POST",
      body: '{ "kind": "sleep" }',
      headers: { "content-type": "application/json", "idempotency-key": "k", connection: "keep-alive" },
    });
    expect([answer.status, await answer.text()]).toEqual([201, '{"id":"a","isNew":true}']);
    expect([answer.headers.get("x-outlast-seq"), answer.headers.get("location")]).toEqual(["77", "/v1/tasks/a"]);
    expect(body).toBe('{ "kind": "sleep" }');
    expect(seen).toMatchObject({
      method: "POST",
      url: "/v1/tasks?%7e=x",
      headers: {
        host: leaderUrl.slice("http://".length),
        authorization: `Bearer ${token}`,
        "idempotency-key": "k",
        "content-length": "19",
        "x-outlast-relayed": "1",
      },
    });
    expect(standby.calls).toEqual([]);
  });

  test("has no body there if it had none here", async () => {
    const seen: unknown[] = [];
    handle = async (request, response) => {
      seen.push([request.headers["transfer-encoding"], request.headers["content-length"], await bodyOf(request)]);
      response.end("{}");
    };
    await call("/v1/tasks/a/cancel", { method: "POST" });
    await call("/v1/workers");
    expect(seen).toEqual([
      [undefined, "0", ""],
      [undefined, undefined, ""],
    ]);
  });

  test("is passed on while its body still comes, and so is the answer", async () => {
    const pieces: string[] = [];
    let answer: ServerResponse | null = null;
    handle = (request, response) => {
      request.setEncoding("utf8").on("data", (piece: string) => pieces.push(piece));
      request.on("end", () => {
        answer = response;
        response.write("THIRD");
      });
    };
    const connection = await raw(
      `POST /v1/tasks/batch HTTP/1.1\n${authorized}Content-Type: application/x-ndjson\nTransfer-Encoding: chunked\n\n5\nfirst\n`,
    );
    await vi.waitFor(() => expect(pieces).toEqual(["first"]));
    connection.send("6\r\nsecond\r\n0\r\n\r\n");
    await connection.until("THIRD");
    expect(pieces).toEqual(["first", "second"]);
    answer!.end("FOURTH");
    await connection.until("FOURTH");
  });

  test("that asks first is told to go on", async () => {
    handle = async (request, response) => response.end(await bodyOf(request));
    const connection = await raw(
      `POST /v1/tasks HTTP/1.1\n${authorized}Content-Type: application/json\nContent-Length: 2\nExpect: 100-continue\n\n`,
    );
    await connection.until("100 Continue");
    connection.send("{}");
    expect(await connection.until("{}")).toContain("HTTP/1.1 200 OK");
  });

  test("is refused here without the token", async () => {
    const asked = vi.fn();
    handle = (_request, response) => response.end(String(asked()));
    expect((await call("/v1/workers", { headers: { authorization: "Bearer no" } })).status).toBe(401);
    expect(asked).not.toHaveBeenCalled();
  });

  test("that came over another standby is not passed on again", async () => {
    for (const path of ["/v1/workers", "/v1/queues"]) {
      const asked = vi.fn();
      handle = (_request, response) => response.end(String(asked()));
      await call(path, { headers: { "x-outlast-relayed": "1" } });
      expect(asked).not.toHaveBeenCalled();
    }
  });

  test("that only reads is answered here", async () => {
    handle = (_request, response) => response.destroy();
    const answer = await call("/v1/tasks");
    expect([answer.status, answer.headers.get("x-outlast-epoch")]).toEqual([200, "3"]);
  });

  test("that reads what only the leader knows in full goes there if it says so", async () => {
    handle = (request, response) => response.end(JSON.stringify(request.url));
    for (const path of ["/v1/status", "/v1/tasks", "/v1/tasks/a", "/v1/tasks/a/children"]) {
      const answer = await call(`${path}?leader=true`);
      expect([answer.status, await answer.json()]).toEqual([200, `${path}?leader=true`]);
    }
    expect(standby.calls).toEqual([]);
  });
});

describe("a leader that", () => {
  async function refusal(path = "/v1/workers") {
    const answer = await call(path);
    const { error } = (await answer.json()) as { error: { code: string; leader?: string; reason?: string } };
    return { status: answer.status, retryAfter: answer.headers.get("retry-after"), ...error };
  }

  test("takes no connection makes the request worth another try", async () => {
    leader.close();
    expect(await refusal()).toMatchObject({
      status: 503,
      code: "unavailable",
      retryAfter: "1",
      leader: leaderUrl,
      reason: "ECONNREFUSED",
    });
  });

  test("dies before it answers does so too", async () => {
    handle = (request) => request.socket.resetAndDestroy();
    expect(await refusal()).toMatchObject({ status: 503, code: "unavailable", reason: "ECONNRESET" });
  });

  test("is followed by another one while it keeps silent does not have to be waited for", async () => {
    handle = () => {
      const other = { ...standby.state, leader: "http://127.0.0.1:1" };
      standby.state = other;
      standby.publish({ kind: "marker", address: other.leader, collections: {} });
    };
    expect(await refusal()).toMatchObject({ status: 503, code: "not-leader", leader: "http://127.0.0.1:1" });
  });

  test("is not known yet is not asked", async () => {
    standby.state = { ...standby.state, leader: null };
    expect((await call("/v1/queues")).status).toBe(200);
    standby.state = { ...standby.state, leader: standby.state.address };
    expect((await call("/v1/queues")).status).toBe(200);
  });

  test("dies in the middle of its answer leaves half of one, and no whole one", async () => {
    handle = (request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => request.socket.resetAndDestroy());
    };
    const answer = await call("/v1/workers");
    await expect(answer.text()).rejects.toThrow();
  });

  test("wants no more of a body is heard before the body ends", async () => {
    handle = (_request, response) => {
      response.writeHead(413, { connection: "close" });
      response.end('{"error":{"code":"too-large"}}');
    };
    const connection = await raw(
      `POST /v1/tasks/batch HTTP/1.1\n${authorized}Content-Type: application/json\nContent-Length: 1000000\n\n{`,
    );
    expect(await connection.until("too-large")).toContain("HTTP/1.1 413");
    expect(connection.received.toLowerCase()).toContain("connection: close");
    await connection.closed();
  });
});

describe("while an election is under way", () => {
  test("a request that cannot have reached the leader that died goes to the next one, whole", async () => {
    const died = await new Promise<Server>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
    });
    const diedUrl = `http://127.0.0.1:${(died.address() as AddressInfo).port}`;
    await new Promise((resolve) => died.close(resolve));
    standby.state = { ...standby.state, leader: diedUrl };
    const bodies: string[] = [];
    handle = async (request, response) => {
      bodies.push(await bodyOf(request));
      response.end("{}");
    };
    const headers = { "content-type": "application/json" };
    const answer = call("/v1/tasks", { method: "POST", body: '{"kind":"sleep"}', headers });
    const metrics = async () => (await call("/metrics")).text();
    await vi.waitFor(async () => expect(await metrics()).toMatch(/^outlast_relays_failed_total 1$/m));
    standby.state = { ...standby.state, leader: leaderUrl };
    expect((await answer).status).toBe(200);
    expect(bodies).toEqual(['{"kind":"sleep"}']);
  });

  test("a request waits for whoever wins, and is answered here if that is this master", async () => {
    standby.state = { ...standby.state, leader: null };
    const headers = { "content-type": "application/json" };
    const body = '{"kind":"sleep","input":{"seconds":1},"id":"a"}';
    const answer = call("/v1/tasks", { method: "POST", body, headers });
    await call("/v1/tasks");
    expect(standby.calls).toEqual([]);
    standby.state = { ...standby.state, role: "leader", leader: standby.state.address };
    expect([(await answer).status, standby.calls.map(({ name }) => name)]).toEqual([201, ["submit"]]);
  });

  test("what the old leader may have heard of is not repeated", async () => {
    let heard = 0;
    handle = (request) => {
      heard += 1;
      standby.state = { ...standby.state, leader: "http://127.0.0.1:1" };
      request.socket.resetAndDestroy();
    };
    const answer = await call("/v1/tasks/a/cancel", { method: "POST" });
    expect([answer.status, heard]).toEqual([503, 1]);
  });
});

describe("a client that hangs up", () => {
  test("before the answer is hung up on at the leader too", async () => {
    const hungUp = vi.fn();
    let isThere = false;
    handle = (request) => {
      isThere = true;
      request.socket.once("close", hungUp);
    };
    const connection = await raw(`GET /v1/workers HTTP/1.1\n${authorized}\n`);
    await vi.waitFor(() => expect(isThere).toBe(true));
    connection.close();
    await vi.waitFor(() => expect(hungUp).toHaveBeenCalledOnce());
  });

  test("in the middle of its body leaves nothing whole at the leader", async () => {
    const ends: string[] = [];
    handle = (request) => {
      bodyOf(request).then(
        () => ends.push("whole"),
        () => ends.push("broken"),
      );
    };
    const connection = await raw(`POST /v1/tasks HTTP/1.1\n${authorized}Content-Length: 100\n\n{"kind"`);
    connection.socket.resetAndDestroy();
    await vi.waitFor(() => expect(ends).toEqual(["broken"]));
  });
});

describe("an attach", () => {
  const attach = {
    ...{ protocol: 1, boot: "b", capacity: 1, queues: [], running: [], outbox: [], isDraining: false, epochMax: 0 },
    ...{ incarnation: null, probePort: 4711, hostname: "h", pid: 1, version: "1" },
  };

  function send(more: object, headers: Record<string, string> = {}) {
    const body = JSON.stringify({ ...attach, ...more });
    return call("/v1/workers/w/sessions", {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
  }

  test("is passed on to the leader only where the worker asks for it", async () => {
    const bodies: unknown[] = [];
    handle = async (request, response) => {
      bodies.push(JSON.parse(await bodyOf(request)));
      response.end('{"session":"1.1"}');
    };
    await send({});
    expect(bodies).toEqual([]);
    expect(await (await send({ relay: true })).json()).toEqual({ session: "1.1" });
    expect(bodies).toEqual([{ ...attach, relay: true }]);
  });

  test("that has come over a standby names no port to knock at: it would be the standby's machine", async () => {
    await send({}, { "x-outlast-relayed": "1" });
    await send({});
    const ports = standby.calls.map(({ with: [, request] }) => (request as { probePort: number | null }).probePort);
    expect(ports).toEqual([null, 4711]);
  });
});

describe("a worker's stream over a standby", () => {
  let toWorker: ServerResponse;
  const hungUp = vi.fn();

  async function openStream(): Promise<RawConnection> {
    hungUp.mockReset();
    handle = (request, response) => {
      toWorker = response;
      request.socket.once("close", hungUp);
      response.writeHead(200, { "content-type": "text/event-stream", connection: "close" });
      response.write("data: one\n\n");
    };
    const stream = await raw(`GET /v1/workers/w/stream?session=1.1 HTTP/1.1\n${authorized}\n`);
    await stream.until("data: one");
    return stream;
  }

  test("brings each message as it comes", async () => {
    const stream = await openStream();
    toWorker.write("data: two\n\n");
    await stream.until("data: two");
  });

  test("closes when the leader closes it", async () => {
    const stream = await openStream();
    toWorker.end();
    await stream.closed();
  });

  test("breaks when the leader dies", async () => {
    const stream = await openStream();
    toWorker.socket!.resetAndDestroy();
    await stream.closed();
  });

  test("closes at the leader when the worker goes, cleanly or not", async () => {
    (await openStream()).socket.end();
    await vi.waitFor(() => expect(hungUp).toHaveBeenCalledOnce());
    (await openStream()).socket.resetAndDestroy();
    await vi.waitFor(() => expect(hungUp).toHaveBeenCalledOnce());
  });

  test("is cut when another master leads, while the old one keeps silent", async () => {
    const stream = await openStream();
    standby.publish({ kind: "marker", address: "http://127.0.0.1:1", collections: {} });
    await stream.closed();
    await vi.waitFor(() => expect(hungUp).toHaveBeenCalledOnce());
  });

  test("does not keep the standby from closing", async () => {
    const stream = await openStream();
    const startedAt = performance.now();
    await api.close();
    expect(performance.now() - startedAt).toBeLessThan(limits.closeWaitMsMax);
    await stream.closed();
  });
});
