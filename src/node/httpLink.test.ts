/** The worker's wire against real servers: good ones, rude ones, and ones that are not there. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Bearer } from "../model/bearer.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../model/ids.ts";

import type { ReportRequest, StreamMessage } from "../model/protocol.ts";
import type { Log } from "../ports/log.ts";
import { LinkError } from "../ports/transport.ts";
import { attachRequest } from "../proof/fakes/attachRequest.ts";
import { createDial, type LinkOptions } from "./httpLink.ts";

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const worker = "w-1" as WorkerId;
const session = "3.1" as SessionId;
const attach = attachRequest({ boot: "b1" as BootId });
const attachAnswer = { session, epoch: 3, incarnation: "i", abort: [], verdicts: [], heartbeatMs: 1000 };
const report: ReportRequest = { boot: "b1" as BootId, session, epoch: 3, items: [] };

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

type Handle = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function serve(handle: Handle): Promise<{ server: Server; address: string }> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => handle(request, response, Buffer.concat(pieces).toString()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function dial(address: string, options: Partial<LinkOptions> = {}) {
  return createDial({ bearer: new Bearer(null), log: silent, ...options })(address);
}

async function failure(promise: Promise<unknown>): Promise<LinkError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LinkError);
  return error as LinkError;
}

/** Opens a stream and collects what comes; `closed` resolves with the reason. */
function listen(address: string, options: Partial<LinkOptions> = {}) {
  const messages: StreamMessage[] = [];
  const closes: string[] = [];
  let onMessage = () => {};
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  const stream = dial(address, options).openStream(worker, session, {
    onMessage: (message) => {
      messages.push(message);
      onMessage();
    },
    onClose: (reason) => {
      closes.push(reason);
      resolve(reason);
    },
  });
  const count = (wanted: number) =>
    new Promise<void>((done) => {
      onMessage = () => void (messages.length >= wanted && done());
      onMessage();
    });
  return { stream, messages, closes, closed, count };
}

describe("calls", () => {
  test("to an address that begins with the wrong scheme say with which one it should begin", async () => {
    const { address } = await serve((request) => request.socket.destroy());
    await expect(dial(address).attach(worker, attach)).rejects.toThrow(
      "If it speaks TLS, write https:// in its address.",
    );
    const secure = dial(address.replace("http:", "https:"));
    await expect(secure.attach(worker, attach)).rejects.toThrow("does not speak TLS. Write http:// in its address.");
  });

  test("attach posts JSON with the token, to the worker's path, and gives the answer", async () => {
    const seen: unknown[] = [];
    const { address } = await serve((request, response, body) => {
      seen.push(request.method, request.url, request.headers.authorization, JSON.parse(body));
      json(response, 200, attachAnswer);
    });
    const link = dial(`${address}/`, { bearer: new Bearer("secret") });
    expect(await link.attach(worker, attach)).toEqual(attachAnswer);
    expect(seen).toEqual(["POST", "/v1/workers/w-1/sessions", "Bearer secret", attach]);
  });

  test.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [429, "too-many"],
  ])("a token that is refused with %i is looked for anew, also one of a stream", async (status, code) => {
    const beat = { kind: "beat", epoch: 3 };
    const { address } = await serve((request, response) => {
      if (request.headers.authorization !== "Bearer two") json(response, status, { error: { code, message: "No." } });
      else if (request.method === "GET") response.writeHead(200).end(`data: ${JSON.stringify(beat)}\n\n`);
      else json(response, 200, attachAnswer);
    });
    let token = "one";
    const bearer = new Bearer(() => token);
    await expect(dial(address, { bearer }).attach(worker, attach)).rejects.toMatchObject({ code });
    token = "two";
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      dial(address, { bearer }).openStream(worker, session, {
        onMessage: (message) => seen.push(message),
        onClose: () => resolve(),
      });
    });
    expect(seen).toEqual([beat]);
    token = "one";
    const other = new Bearer(() => token);
    token = "two";
    expect(await dial(address, { bearer: other }).attach(worker, attach)).toEqual(attachAnswer);
  });

  test("report and sendLogs carry their bodies, bytes as base64", async () => {
    const seen: unknown[] = [];
    const { address } = await serve((request, response, body) => {
      seen.push(request.url, JSON.parse(body));
      if (request.url?.endsWith("/logs")) response.writeHead(204).end();
      else json(response, 200, { epoch: 3, verdicts: [] });
    });
    const link = dial(address);
    expect(await link.report(worker, report)).toEqual({ epoch: 3, verdicts: [] });
    const whole = Buffer.from("..\u00e4\xff..", "latin1");
    const chunk = { task: "t" as TaskId, attempt: 1, offset: 0, at: 5, isTruncated: false };
    await link.sendLogs(worker, session, [{ ...chunk, bytes: whole.subarray(2, 4) }]);
    expect(seen).toEqual([
      "/v1/workers/w-1/reports",
      report,
      "/v1/workers/w-1/logs",
      { session, chunks: [{ ...chunk, base64: Buffer.from([0xe4, 0xff]).toString("base64") }] },
    ]);
  });

  test("use one connection after the other, and survive that the master has closed it in between", async () => {
    const ports = new Set<number | undefined>();
    const { server, address } = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      json(response, 200, { epoch: 3, verdicts: [] });
    });
    const link = dial(address);
    for (let count = 0; count < 5; count++) await link.report(worker, report);
    expect(ports.size).toBe(1);
    server.closeAllConnections();
    // Sent before this side could see that the connection is gone.
    expect(await link.report(worker, report)).toEqual({ epoch: 3, verdicts: [] });
  });

  test.each([
    [
      "a refusal with the leader's address",
      503,
      { error: { code: "not-leader", message: "Ask the other.", leader: "http://b:1" } },
      "not-leader",
      "http://b:1",
    ],
    [
      "a refusal without one",
      409,
      { error: { code: "stale-session", message: "Attach again." } },
      "stale-session",
      null,
    ],
    ["an error page of something else", 502, "<html>", "protocol", null],
    ["an answer that is not ours", 200, { hello: "world" }, "protocol", null],
  ])("%s becomes a LinkError", async (_, status, body, code, leader) => {
    const { address } = await serve((_request, response) => json(response, status, body));
    const error = await failure(dial(address).attach(worker, attach));
    expect({ code: error.code, leader: error.leader }).toEqual({ code, leader });
  });

  test("text that is not JSON is a protocol error", async () => {
    const { address } = await serve((_request, response) => response.end("<html>Welcome</html>"));
    expect((await failure(dial(address).report(worker, report))).code).toBe("protocol");
  });

  test("an answer without end is cut off", async () => {
    const { address } = await serve((_request, response) => {
      const piece = Buffer.alloc(1 << 20, 0x20);
      const more = (error?: Error | null) => void (error || response.write(piece, more));
      more();
    });
    expect((await failure(dial(address).report(worker, report))).message).toMatch(/longer than/);
  });

  test.each(["http://127.0.0.1:1", "ftp://127.0.0.1", "not an address", ""])(
    "nobody at %j is unreachable, told by rejection only",
    async (address) => {
      expect((await failure(dial(address).attach(worker, attach))).code).toBe("unreachable");
    },
  );

  test("a master that takes the request and says nothing is a timeout", async () => {
    const { address } = await serve(() => {});
    const link = dial(address, { requestTimeoutMs: 50 });
    expect((await failure(link.report(worker, report))).code).toBe("timeout");
  });

  test("a connection that breaks in the middle of the answer is unreachable", async () => {
    const { address } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{", () => response.destroy());
    });
    expect((await failure(dial(address).report(worker, report))).code).toBe("unreachable");
  });
});

describe("the stream", () => {
  const beat: StreamMessage = { kind: "beat", epoch: 3 };

  test("brings messages in order, however their bytes are cut, and leaves out kinds it does not know", async () => {
    const abort: StreamMessage = {
      kind: "abort",
      epoch: 3,
      reason: "cancelled",
      attempts: [{ task: "täsk-€" as TaskId, attempt: 1 }],
    };
    const text = [beat, { kind: "dance", epoch: 3 }, abort, beat]
      .map((m) => `: note\ndata: ${JSON.stringify(m)}\n\n`)
      .join("");
    const bytes = Buffer.from(text);
    const { address } = await serve((request, response) => {
      expect(request.url).toBe("/v1/workers/w-1/stream?session=3.1");
      response.writeHead(200, { "content-type": "text/event-stream" });
      const next = (at: number) =>
        void (at < bytes.length && response.write(bytes.subarray(at, at + 7), () => next(at + 7)));
      next(0);
    });
    const { stream, messages, closed, closes, count } = listen(address);
    await count(3);
    expect(messages).toEqual([beat, abort, beat]);
    stream.close();
    stream.close();
    expect(await closed).toBe("Closed by the worker.");
    expect(closes).toHaveLength(1);
  });

  test("says so when the master ends it, and when its connection breaks", async () => {
    const { address } = await serve((request, response) => {
      response.writeHead(200);
      response.write(`data: ${JSON.stringify(beat)}\n\n`, () => {
        if (request.headers.authorization !== undefined) response.destroy();
        else response.end();
      });
    });
    const polite = listen(address);
    expect(await polite.closed).toBe("The master ended the stream.");
    const rude = listen(address, { bearer: new Bearer("x") });
    expect(await rude.closed).not.toBe("The master ended the stream.");
    expect(rude.messages).toEqual([beat]);
    expect(rude.closes).toHaveLength(1);
  });

  test("closes with the master's reason when it is refused", async () => {
    const { address } = await serve((_request, response) =>
      json(response, 409, { error: { code: "stale-session", message: "Attach again." } }),
    );
    expect(await listen(address).closed).toBe("Attach again.");
  });

  test.each(["data: {]\n\n", "data: {}\n\n", 'data: {"kind":"beat","epoch":-1}\n\n'])("closes on %j", async (text) => {
    const { address } = await serve((_request, response) => void response.write(text));
    const { closed, messages } = listen(address);
    expect(await closed).toMatch(/not valid JSON|invalid message/);
    expect(messages).toEqual([]);
  });

  test("closes where nobody is, and where nobody answers", async () => {
    expect(await listen("http://127.0.0.1:1").closed).toMatch(/ECONNREFUSED/);
    expect(await listen("nowhere").closed).toMatch(/Invalid URL/);
    const mute = createTcpServer(() => {});
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    closers.push(() => mute.close());
    const address = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    expect(await listen(address, { requestTimeoutMs: 50 }).closed).toMatch(/did not open a stream within 50 ms/);
  });

  test("closed before it was open brings nothing but its closing", async () => {
    const { address } = await serve((_request, response) => void response.write(`data: ${JSON.stringify(beat)}\n\n`));
    const { stream, closed, messages } = listen(address);
    stream.close();
    expect(await closed).toBe("Closed by the worker.");
    expect(messages).toEqual([]);
  });
});
