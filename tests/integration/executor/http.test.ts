/** Tasks that call a service: what is sent, what comes of each answer, and whom they may call. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../../src/model/limits.ts";
import { type Stage, stage, until } from "./stage.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let on: Stage;
let server: Server;
let other: Server;
let requests: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[] = [];

const answers: { [path: string]: Answer } = {
  "/json": (_, response) => response.setHeader("Content-Type", "application/json").end('{"rows":[1,"é"]}'),
  "/broken-json": (_, response) => response.setHeader("Content-Type", "application/problem+json").end("{"),
  "/text": (_, response) => response.setHeader("Content-Type", "text/plain").end("hello"),
  "/nothing": (_, response) => response.writeHead(204).end(),
  "/missing": (_, response) => response.writeHead(404).end("there is no such order"),
  "/busy": (_, response) => response.writeHead(503, { "Retry-After": "7" }).end(),
  "/broken": (_, response) => response.writeHead(500).end(),
  "/here": (_, response) => response.writeHead(302, { Location: "/text" }).end(),
  "/again": (_, response) => response.writeHead(307, { Location: "/json" }).end(),
  "/round": (_, response) => response.writeHead(302, { Location: "/round" }).end(),
  "/away": (_, response) => response.writeHead(302, { Location: `${addressOf(other)}/text` }).end(),
  "/huge": (_, response) => response.end("x".repeat(limits.resultBytesMax + 1)),
  "/cut": (_, response) => {
    response.writeHead(200, { "Content-Length": 100 }).write("half");
    setImmediate(() => response.destroy());
  },
  "/hang": () => {},
  "/half": (_, response) => response.writeHead(200, { "Content-Length": 100 }).write("half"),
};

function serve(): Promise<Server> {
  const made = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const body = Buffer.concat(pieces).toString();
      requests.push({ method, url, headers, body });
      answers[url.split("?")[0] ?? ""]?.(request, response, body);
    });
  }).listen(0, "127.0.0.1");
  return once(made, "listening").then(() => made);
}

function addressOf(of: Server): string {
  return `http://127.0.0.1:${(of.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  [on, server, other] = await Promise.all([stage({ allowsPrivateHttp: true }), serve(), serve()]);
});
afterAll(async () => {
  await on.close();
  for (const each of [server, other]) each.closeAllConnections();
  server.close();
  other.close();
});

function call(path: string, more: { [name: string]: unknown } = {}) {
  requests = [];
  return on.start("http", { url: `${addressOf(server)}${path}`, ...more });
}

describe("what is sent", () => {
  test("a GET names the task, its attempt, and the key by which the service can tell a repeat", async () => {
    const { ref, ended } = call("/text?a=b", {
      headers: { "X-Own": "1", "user-agent": "mine" },
      secretHeaders: { "X-Key": "2" },
    });
    await ended;
    expect(requests).toEqual([
      {
        method: "GET",
        url: "/text?a=b",
        body: "",
        headers: expect.objectContaining({
          ...{ "x-own": "1", "x-key": "2", "user-agent": "mine" },
          ...{ "idempotency-key": ref.task, "outlast-task": ref.task, "outlast-attempt": "1" },
        }) as unknown,
      },
    ]);
  });

  test.each([
    [{ json: { order: 7, name: "é" } }, "POST", '{"order":7,"name":"é"}', "application/json"],
    [{ body: "a=b", method: "PUT" }, "PUT", "a=b", "text/plain; charset=utf-8"],
    [{ body: "<a/>", headers: { "Content-Type": "text/xml" } }, "POST", "<a/>", "text/xml"],
  ])("%j", async (input, method, body, type) => {
    await call("/text", input).ended;
    expect(requests).toMatchObject([{ method, body, headers: { "content-type": type } }]);
  });
});

describe("an answer", () => {
  test.each([
    ["/json", { status: 200, body: { rows: [1, "é"] } }],
    ["/text", { status: 200, body: "hello", headers: { "content-type": "text/plain" } }],
    ["/nothing", { status: 204, body: null }],
    ["/here", { status: 200, body: "hello" }],
  ])("%s is the output", async (path, output) => {
    const running = call(path);
    expect(await running.ended).toMatchObject({ outcome: "success", output });
    expect(running.text()).toContain(`GET ${addressOf(server)}`);
  });

  test("that is expected is a success whatever its status", async () => {
    expect(await call("/missing", { expect: [404] }).ended).toMatchObject({
      outcome: "success",
      output: { status: 404, body: "there is no such order" },
    });
    expect(await call("/text", { expect: [404] }).ended).toMatchObject({ outcome: "failed" });
  });

  test("that the request is wrong is final, and its text is in the log", async () => {
    const running = call("/missing");
    expect(await running.ended).toMatchObject({
      outcome: "failed",
      error: { code: "non-retryable", message: expect.stringContaining("answered 404 Not Found") as string },
    });
    expect(running.text()).toContain("there is no such order");
  });

  test("of a service that cannot answer now is tried again, as late as it asks for", async () => {
    const busy = await call("/busy").ended;
    expect(busy).toMatchObject({ outcome: "failed", error: { code: "http" }, retryAfterMs: 7000 });
    const broken = await call("/broken").ended;
    expect(broken).toMatchObject({ outcome: "failed", error: { code: "http" } });
    expect(broken).not.toHaveProperty("retryAfterMs");
    expect(await call("/cut").ended).toMatchObject({ outcome: "failed", error: { code: "http" } });
  });

  test("larger than an output may be fails for good", async () => {
    const end = await call("/huge").ended;
    expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
    expect(end.error?.message).toContain("more than 262144 bytes");
  });

  test("that is no JSON although it says so fails for good", async () => {
    expect(await call("/broken-json").ended).toMatchObject({ error: { code: "non-retryable" } });
  });

  test("that does not come ends with the attempt", async () => {
    const running = call("/hang");
    await until("the request to arrive", () => requests.length === 1);
    on.executor.abort(running.ref, 1000, "cancelled");
    expect(await running.ended).toMatchObject({ outcome: "aborted" });
  });
});

test("a service that says nothing fails the attempt, before its answer and in the middle of it", async () => {
  const { httpSilenceMsMax } = limits;
  try {
    Object.assign(limits, { httpSilenceMsMax: 100 });
    for (const path of ["/hang", "/half"]) {
      const end = await call(path).ended;
      expect(end).toMatchObject({ outcome: "failed", error: { code: "http" } });
      expect(end.error?.message).toMatch(/said nothing for 0.1 s/);
    }
  } finally {
    Object.assign(limits, { httpSilenceMsMax });
  }
});

describe("redirects", () => {
  test("keep the method and the body where the status says so, and become a GET otherwise", async () => {
    await call("/again", { json: 1 }).ended;
    expect(requests).toMatchObject([{}, { method: "POST", url: "/json", body: "1" }]);
    await call("/here", { json: 1 }).ended;
    expect(requests).toMatchObject([{}, { method: "GET", url: "/text", body: "" }]);
  });

  test("to another host are not followed", async () => {
    const end = await call("/away", { headers: { Authorization: "Bearer secret" } }).ended;
    expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
    expect(requests).toHaveLength(1);
  });

  test("that never end do", async () => {
    const end = await call("/round").ended;
    expect(end.error?.message).toContain(`more than ${limits.httpRedirectsMax} times`);
    expect(requests).toHaveLength(limits.httpRedirectsMax + 1);
  });
});

describe("whom it may call", () => {
  test.each(["127.0.0.1", "localhost", "[::1]", "0"])("not %s, by default", async (host) => {
    const guarded = await stage();
    requests = [];
    const { port } = server.address() as AddressInfo;
    const end = await guarded.start("http", { url: `http://${host}:${port}/text` }).ended;
    expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
    expect(end.error?.message).toContain("--http-private");
    expect(requests).toEqual([]);
    await guarded.close();
  });

  test("a port where nobody listens is tried again", async () => {
    const free = await serve();
    const url = addressOf(free);
    free.close();
    await once(free, "close");
    const end = await on.start("http", { url }).ended;
    expect(end).toMatchObject({ outcome: "failed", error: { code: "http" } });
    expect(end.error?.message).toContain("ECONNREFUSED");
  });
});

test.each([null, {}, { url: 7 }, { url: "nonsense" }])("input %j of another version's master fails", async (input) => {
  expect(await on.start("http", input as never).ended).toMatchObject({ error: { code: "invalid-input" } });
});
