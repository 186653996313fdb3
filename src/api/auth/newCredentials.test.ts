/** A session or a token that the leader has only just made is taken at a standby that has yet to read of it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const token = `olt_${"t".repeat(43)}`;
const session = `ols_${"s".repeat(43)}`;
const record = { name: "ci", role: "viewer", hash: "", createdAt: 1, createdBy: "root" } as const;
const password = { algorithm: "argon2id", salt: "", hash: "", memoryKiB: 1, passes: 1, parallelism: 1 } as const;
const user = { name: "ada", role: "viewer", password, createdAt: 1, createdBy: "root", changedAt: 1 } as const;

let master: FakeMasterApi;
let api: ApiServer;
/** How often a credential was looked for. */
let looks: number;

beforeEach(() => {
  looks = 0;
  master = new FakeMasterApi();
  master.principals.findToken = (secret) => (++looks > 2 && secret === token ? record : null);
  master.principals.findSession = () => {
    return ++looks > 2 ? { id: "1", user: "ada", createdAt: 1, expiresAt: Number.MAX_SAFE_INTEGER, address: "" } : null;
  };
  master.principals.findUser = () => user;
  api = createApi({ master, log: silent, token: "the-root-token-of-all" });
});
afterEach(() => api.close());

async function ask(headers: Record<string, string>): Promise<number> {
  return (await api.http.inject({ method: "GET", url: "/v1/status", headers: { host: "127.0.0.1", ...headers } }))
    .statusCode;
}

describe("a standby", () => {
  beforeEach(() => {
    master.state = { ...master.state, role: "standby", leader: "http://127.0.0.1:7071" };
  });

  test("looks again for a token and for a session that it does not know", async () => {
    expect(await ask({ authorization: `Bearer ${token}` })).toBe(200);
    looks = 0;
    expect(await ask({ authorization: `Bearer ${session}` })).toBe(200);
    looks = 0;
    expect(await ask({ cookie: `outlast-incarnation=${session}` })).toBe(200);
  });

  test("refuses a wrong one after a while, and at once what no master has made", async () => {
    expect(await ask({ authorization: `Bearer ${token}x` })).toBe(401);
    expect(looks).toBeGreaterThan(3);
    looks = 0;
    expect(await ask({ authorization: "Bearer a-guess" })).toBe(401);
    expect(looks).toBe(1);
  });
});

test("a leader refuses what it does not know at once", async () => {
  expect(await ask({ authorization: `Bearer ${token}` })).toBe(401);
  expect(looks).toBe(1);
});
