/** The dashboard as it is served: its policies, its caching, its own paths, and what a checkout without a build says. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const page = { host: "localhost", accept: "text/html,*/*;q=0.8" };
const script = "console.log('the dashboard');".repeat(50);

let folder: string;
let api: ApiServer;

function serve(token: string | null = null): void {
  api = createApi({ master: new FakeMasterApi(), log: silent, token, dashboard: folder });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outlast-web-"));
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

function build(): void {
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Outlast</title>");
  writeFileSync(join(folder, "assets", "main-1a2b.js"), script);
  writeFileSync(join(folder, "sources"), "a digest");
}

describe("a built dashboard", () => {
  test.each(["/", "/tasks", "/tasks/a%3Ab?state=failed", "/workers"])("is the page at %s", async (url) => {
    build();
    serve();
    const { statusCode, headers, body } = await api.http.inject({ url, headers: page });
    expect([statusCode, body]).toEqual([200, "<!doctype html><title>Outlast</title>"]);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["cache-control"]).toBe("no-cache");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    const again = await api.http.inject({ url, headers: { ...page, "if-none-match": String(headers["etag"]) } });
    expect([again.statusCode, again.body]).toEqual([304, ""]);
  });

  test("its files may be kept for ever, and come compressed to those who can read that", async () => {
    build();
    serve();
    const plain = await api.http.inject({ url: "/assets/main-1a2b.js", headers: { host: "localhost" } });
    expect(plain.body).toBe(script);
    expect(plain.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    const headers = { host: "localhost", "accept-encoding": "gzip, deflate, br" };
    const packed = await api.http.inject({ url: "/assets/main-1a2b.js", headers });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(packed.rawPayload.length).toBeLessThan(script.length);
    expect(gunzipSync(packed.rawPayload).toString()).toBe(script);
  });

  test("needs no token, and the API behind it does", async () => {
    build();
    serve("0123456789abcdef");
    expect((await api.http.inject({ url: "/tasks", headers: page })).statusCode).toBe(200);
    expect((await api.http.inject({ url: "/assets/main-1a2b.js", headers: page })).statusCode).toBe(200);
    expect((await api.http.inject({ url: "/v1/status", headers: page })).statusCode).toBe(401);
  });

  test("is no answer to a mistyped path of the API, nor to programs, nor to other methods", async () => {
    build();
    serve();
    for (const [method, url, accept] of [
      ["GET", "/v1/taks", "text/html"],
      ["GET", "/taks", "application/json"],
      ["GET", "/taks", undefined],
      ["POST", "/taks", "text/html"],
    ] as const) {
      const headers = { host: "localhost", ...(accept === undefined ? {} : { accept }) };
      const { statusCode, headers: answered } = await api.http.inject({ method, url, headers });
      expect([method, url, accept, statusCode]).toEqual([method, url, accept, 404]);
      expect(answered["content-type"]).toBe("application/json; charset=utf-8");
      expect(answered["content-security-policy"]).toBe("default-src 'none'; frame-ancestors 'none'");
    }
  });

  test("holds nothing but what was built into it", async () => {
    build();
    writeFileSync(join(folder, "..", "outside.js"), "secret");
    serve();
    for (const url of ["/assets/missing.js", "/assets/..%2findex.html", "/assets/..%2f..%2foutside.js"]) {
      const { statusCode, body } = await api.http.inject({ url, headers: page });
      expect([url, statusCode]).toEqual([url, 404]);
      expect(body).not.toMatch(/secret|Outlast</);
    }
    rmSync(join(folder, "..", "outside.js"));
  });

  test("is not for web pages of another origin, nor for a host name that is not this master's", async () => {
    build();
    serve();
    const foreign = await api.http.inject({ url: "/", headers: { ...page, origin: "http://evil.example" } });
    expect(foreign.statusCode).toBe(403);
    expect((await api.http.inject({ url: "/", headers: { ...page, host: "evil.example" } })).statusCode).toBe(403);
  });
});

test("a checkout without a build says how to build it, and has the page as soon as it is built", async () => {
  serve();
  const { statusCode, headers, body } = await api.http.inject({ url: "/", headers: page });
  expect([statusCode, headers["content-type"]]).toEqual([503, "text/plain; charset=utf-8"]);
  expect(body).toContain("npm run build:web");
  build();
  expect((await api.http.inject({ url: "/", headers: page })).statusCode).toBe(200);
});

test("a master without a dashboard serves the API only", async () => {
  api = createApi({ master: new FakeMasterApi(), log: silent, token: null });
  expect((await api.http.inject({ url: "/", headers: page })).statusCode).toBe(404);
});
