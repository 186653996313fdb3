/** Who is let in: the token, and the addresses that may be listened on without one. */
import { afterEach, describe, expect, test } from "vitest";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";
import { routes } from "../routes/routes.ts";
import { checkExposure, isLoopback, TokenCheck } from "./access.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const token = "correct-horse-battery-staple";
let api: ApiServer;
afterEach(() => api?.close());

describe("with a token", () => {
  test("everything but health and readiness needs it", async () => {
    const master = new FakeMasterApi();
    api = createApi({ master, log: silent, token });
    let calls = 0;
    for (const { method, path, access, isStream, name } of routes) {
      const isPublic = access.needs === "everybody";
      // One that needs no token and never ends, and one that makes sessions: they have tests of their own.
      if ((isPublic && isStream === true) || name === "signIn") continue;
      for (const authorization of [
        undefined,
        "",
        token,
        `Basic ${token}`,
        `Bearer ${token}x`,
        "Bearer",
        `Bearer ${token} ${token}`,
      ]) {
        const response = await api.http.inject({
          method,
          url: path.replace(/:\w+/g, "x"),
          // Each from another address: many wrong tokens from one are slowed down.
          remoteAddress: `192.0.${Math.floor(calls / 250)}.${calls++ % 250}`,
          headers: { host: "anywhere.example", ...(authorization === undefined ? {} : { authorization }) },
        });
        expect([path, response.statusCode]).toEqual([path, isPublic ? 200 : 401]);
        if (isPublic) continue;
        expect(response.headers["www-authenticate"]).toBe("Bearer");
        expect(response.body).not.toContain(token);
      }
    }
    expect(master.calls).toEqual([]);
    expect((await api.http.inject({ url: "/nowhere", headers: { host: "localhost" } })).statusCode).toBe(401);
  });

  test("whoever has it may come by any name", async () => {
    api = createApi({ master: new FakeMasterApi(), log: silent, token });
    const headers = { host: "outlast.example:7070", authorization: `bearer ${token}` };
    expect((await api.http.inject({ url: "/v1/tasks", headers })).statusCode).toBe(200);
    const foreign = await api.http.inject({
      url: "/v1/tasks",
      headers: { ...headers, origin: "https://evil.example" },
    });
    expect(foreign.statusCode).toBe(403);
  });

  test("one that is for workers alone lets in workers, and keeps nobody else out", async () => {
    api = createApi({ master: new FakeMasterApi(), log: silent, token: null, workerToken: token });
    const ask = async (method: "GET" | "POST", url: string, secret?: string) => {
      const headers = { host: "localhost", ...(secret !== undefined && { authorization: `Bearer ${secret}` }) };
      return (await api.http.inject({ method, url, headers })).statusCode;
    };
    expect(await ask("GET", "/v1/tasks")).toBe(200);
    expect(await ask("GET", "/v1/tasks", token)).toBe(403);
    expect(await ask("GET", "/v1/tasks", `${token}x`)).toBe(401);
    for (const { method, path, access, isStream } of routes) {
      if (access.needs !== "work" || isStream === true || method !== "POST") continue;
      // It is let in, and nothing can be made of its empty body.
      const status = await ask(method, path.replace(/:\w+/g, "x"), token);
      expect({ path, isIn: status === 400 || status === 422 }).toEqual({ path, isIn: true });
    }
  });

  test("it is kept as a hash only", () => {
    expect(JSON.stringify(new TokenCheck(token))).not.toContain(token);
  });
});

describe("addresses", () => {
  test.each(["127.0.0.1", "127.8.9.1", "::1", "localhost"])("%s needs no token", (address) => {
    expect(isLoopback(address)).toBe(true);
    expect(() => checkExposure(address, null)).not.toThrow();
  });

  test.each(["0.0.0.0", "::", "10.0.0.1", "192.168.1.2", "master.example", "127.example.com", ""])(
    "%s needs one worth the name",
    (address) => {
      expect(() => checkExposure(address, null)).toThrow("without a token");
      expect(() => checkExposure(address, new TokenCheck("short"))).toThrow("too short");
      expect(() => checkExposure(address, new TokenCheck(token))).not.toThrow();
    },
  );

  test("are refused before anything listens", async () => {
    api = createApi({ master: new FakeMasterApi(), log: silent, token: null });
    await expect(api.listen({ address: "0.0.0.0", port: 0 })).rejects.toMatchObject({ code: "bad-request" });
    expect(api.http.server.listening).toBe(false);
  });

  test("that are taken are told so", async () => {
    api = createApi({ master: new FakeMasterApi(), log: silent, token: null });
    const port = Number(new URL(await api.listen({ address: "127.0.0.1", port: 0 })).port);
    const second = createApi({ master: new FakeMasterApi(), log: silent, token: null });
    await expect(second.listen({ address: "localhost", port })).rejects.toMatchObject({ code: "conflict" });
    await second.close();
  });
});
