/** Signing in over a real master: cookies, guessing, foreign pages, and the end of streams. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApi } from "../../../src/api/http/server.ts";
import { RawConnection } from "../../../src/proof/fakes/rawHttp.ts";
import { createClient, type Outlast } from "../../../src/sdk/client.ts";
import { GuardedApi, password, rootToken } from "./guardedApi.ts";

let guarded: GuardedApi;
const connections: RawConnection[] = [];

beforeEach(async () => {
  guarded = new GuardedApi(rootToken);
  await guarded.start();
  await guarded.root("POST", "/v1/users", { name: "ada", role: "admin", password });
  await guarded.root("POST", "/v1/users", { name: "rep", role: "operator", queues: ["reports"], password });
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await guarded.stop();
});

async function open(path: string, headers: string): Promise<RawConnection> {
  const connection = await RawConnection.open(guarded.url);
  connections.push(connection);
  connection.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`);
  await connection.until("\r\n\r\n");
  return connection;
}

async function untilReset(client: Outlast): Promise<string> {
  for await (const { kind } of client.events()) if (kind === "reset") return kind;
  return "ended";
}

describe("a session", () => {
  test("is a cookie that no script reads and no other site sends", async () => {
    const answer = await guarded.as({})("POST", "/v1/session", { name: "rep", password });
    expect(answer.headers.get("set-cookie")).toMatch(
      /^outlast-[0-9a-f]+=ols_[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.body).toMatchObject({
      principal: { kind: "user", name: "rep", role: "operator", queues: ["reports"] },
      may: ["read", "submit", "control", "operate"],
      isOpen: false,
    });
    expect(JSON.stringify(answer.body)).not.toContain("ols_");
  });

  test("is Secure where the request came over TLS", async () => {
    await guarded.stop();
    guarded = new GuardedApi(rootToken, true);
    await guarded.start();
    await guarded.root("POST", "/v1/users", { name: "ada", role: "admin", password });
    const call = guarded.as({ "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7" });
    const answer = await call("POST", "/v1/session", { name: "ada", password });
    expect(answer.headers.get("set-cookie")).toMatch(/^__Host-outlast-.*; Secure$/);
    const { body } = await guarded.root("GET", "/v1/audit?action=sign-in");
    expect(body.records[0]).toMatchObject({ by: "user:ada", address: "192.0.2.7", outcome: "done" });
  });

  test("pays for changes only from a page of this master", async () => {
    const { cookie, csrf } = await guarded.signIn("rep");
    const submit = (headers: Record<string, string>) =>
      guarded.as({ cookie })("POST", "/v1/tasks", { kind: "sleep", input: { seconds: 1 }, queue: "reports" }, headers);
    const origin = guarded.url;
    expect((await submit({ origin, "x-outlast-csrf": csrf })).status).toBe(201);
    const refused: Record<string, string>[] = [
      {},
      { origin },
      { "x-outlast-csrf": csrf },
      { origin, "x-outlast-csrf": `${csrf}x` },
      { origin: "https://evil.example", "x-outlast-csrf": csrf },
      { origin: "null", "x-outlast-csrf": csrf },
    ];
    for (const headers of refused) expect((await submit(headers)).status).toBe(403);
    expect((await guarded.root("GET", "/v1/tasks")).body.tasks).toHaveLength(1);
  });

  test("is not served under a foreign name, which a page may have pointed at this machine", async () => {
    const { cookie } = await guarded.signIn("rep");
    const body = JSON.stringify({ name: "rep", password });
    const signIn = `POST /v1/session HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    for (const [head, rest] of [
      [`GET /v1/tasks HTTP/1.1\r\nCookie: ${cookie}`, ""],
      [signIn, body],
    ] as const) {
      for (const [host, status] of [
        ["evil.example", 403],
        ["localhost", 200],
      ] as const) {
        const connection = await RawConnection.open(guarded.url);
        connections.push(connection);
        connection.send(`${head}\r\nHost: ${host}\r\nConnection: close\r\n\r\n${rest}`);
        expect(await connection.closed()).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
      }
    }
  });

  test("always has a new secret, and ends the one before", async () => {
    const first = await guarded.signIn("rep");
    const planted = `${first.cookie.split("=")[0]}=ols_${"A".repeat(43)}`;
    const call = guarded.as({ cookie: planted });
    const answer = await call("POST", "/v1/session", { name: "rep", password });
    expect(answer.headers.get("set-cookie")).not.toContain("AAAAAAAA");
    expect((await call("GET", "/v1/session")).status).toBe(401);
    const second = await first.call("POST", "/v1/session", { name: "rep", password });
    expect(second.status).toBe(200);
    expect((await first.call("GET", "/v1/session")).status).toBe(401);
  });

  test("ends with a sign-out, a new password, and the user", async () => {
    const one = await guarded.signIn("rep");
    expect((await one.call("DELETE", "/v1/session")).headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await one.call("GET", "/v1/session")).status).toBe(401);
    const two = await guarded.signIn("rep");
    const wrong = { password: "not it, sorry", newPassword: "another password" };
    expect((await two.call("PUT", "/v1/session/password", wrong)).status).toBe(401);
    const right = { password, newPassword: "another password" };
    expect((await two.call("PUT", "/v1/session/password", right)).status).toBe(200);
    expect((await two.call("GET", "/v1/session")).status).toBe(401);
    const three = await guarded.as({})("POST", "/v1/session", { name: "rep", password: "another password" });
    const call = guarded.as({ cookie: three.headers.get("set-cookie")!.split(";")[0]! });
    expect((await call("GET", "/v1/session")).status).toBe(200);
    await guarded.root("DELETE", "/v1/users/rep");
    expect((await call("GET", "/v1/session")).status).toBe(401);
  });

  test("is a secret to send as a token, if it is asked for", async () => {
    const { body, headers } = await guarded.as({})("POST", "/v1/session", { name: "rep", password, asBearer: true });
    expect(headers.get("set-cookie")).toBeNull();
    const call = guarded.as({ authorization: `Bearer ${body.token}` });
    expect((await call("GET", "/v1/session")).body.principal.name).toBe("rep");
    expect((await call("DELETE", "/v1/session")).status).toBe(200);
    expect((await call("GET", "/v1/session")).status).toBe(401);
  });
});

describe("a session of a token", () => {
  test("is a cookie that reads, and changes with the header only; the token is not in it", async () => {
    const { body } = await guarded.root("POST", "/v1/tokens", { name: "ci", role: "submitter", queues: ["reports"] });
    const answer = await guarded.as({})("POST", "/v1/session", { token: body.token });
    expect(answer.body).toMatchObject({
      principal: { kind: "token", name: "ci", role: "submitter", queues: ["reports"] },
    });
    expect(answer.headers.get("set-cookie")).not.toContain(body.token);
    const cookie = answer.headers.get("set-cookie")!.split(";")[0]!;
    const task = { kind: "sleep", input: { seconds: 1 } };
    expect((await guarded.as({ cookie })("GET", "/v1/tasks")).status).toBe(200);
    expect((await guarded.as({ cookie })("POST", "/v1/tasks", { ...task, queue: "reports" })).status).toBe(403);
    const page = guarded.as({ cookie, origin: guarded.url, "x-outlast-csrf": answer.body.csrf });
    expect((await page("POST", "/v1/tasks", { ...task, queue: "reports" })).status).toBe(201);
    expect((await page("POST", "/v1/tasks", { ...task, queue: "payroll" })).status).toBe(404);
    const stream = await open("/v1/events", `Cookie: ${cookie}`);
    await guarded.root("DELETE", "/v1/tokens/ci");
    await stream.closed();
    expect((await page("GET", "/v1/session")).status).toBe(401);
    // A new token of this name is another one.
    await guarded.root("POST", "/v1/tokens", { name: "ci", role: "admin" });
    expect((await page("GET", "/v1/session")).status).toBe(401);
  });

  test("of the root token ends with a sign-out, and says so in the audit record", async () => {
    const answer = await guarded.as({})("POST", "/v1/session", { token: rootToken });
    const cookie = answer.headers.get("set-cookie")!.split(";")[0]!;
    const page = guarded.as({ cookie, origin: guarded.url, "x-outlast-csrf": answer.body.csrf });
    expect((await page("GET", "/v1/users")).body.users).toHaveLength(2);
    const forged = cookie.replace(/\..*$/, `.${"A".repeat(43)}`);
    expect((await guarded.as({ cookie: forged })("GET", "/v1/session")).status).toBe(401);
    expect((await page("DELETE", "/v1/session")).status).toBe(200);
    expect((await page("GET", "/v1/session")).status).toBe(401);
    const { body } = await guarded.root("GET", "/v1/audit?by=root&action=sign-in");
    expect(body.records).toMatchObject([{ by: "root", outcome: "done" }]);
  });

  test("of the root token is worth nothing once masters have another one", async () => {
    const answer = await guarded.as({})("POST", "/v1/session", { token: rootToken });
    const cookie = answer.headers.get("set-cookie")!.split(";")[0]!;
    const user = await guarded.signIn("rep");
    const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const restarted = createApi({ master: guarded.master.service, log: silent, token: `another ${rootToken}` });
    const url = await restarted.listen({ address: "127.0.0.1", port: 0 });
    const statusOf = async (sent: string) => (await fetch(`${url}/v1/session`, { headers: { cookie: sent } })).status;
    expect([await statusOf(cookie), await statusOf(user.cookie)]).toEqual([401, 200]);
    await restarted.close();
  });

  test("is refused for a wrong token, and for both ways at once", async () => {
    const signIn = async (body: object) => (await guarded.as({})("POST", "/v1/session", body)).status;
    expect(await signIn({ token: "olt_wrong" })).toBe(401);
    expect(await signIn({ token: rootToken, name: "ada", password })).toBe(422);
    expect(await signIn({ name: "ada" })).toBe(422);
  });
});

describe("guessing of tokens", () => {
  test("is slowed down by address, and shuts out nobody there who has a right one", async () => {
    const { body } = await guarded.root("POST", "/v1/tokens", { name: "ci", role: "viewer" });
    const ada = await guarded.signIn("ada");
    const statuses: number[] = [];
    for (let guess = 0; guess < 30; guess += 1) {
      const call = guarded.as({ authorization: `Bearer guess-number-${guess}` });
      const { status, headers } = await call("GET", "/v1/tasks");
      statuses.push(status);
      if (status === 429) expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect(statuses.filter((status) => status === 401).length).toBeLessThan(15);
    expect(statuses.at(-1)).toBe(429);
    expect((await guarded.as({})("POST", "/v1/session", { token: "another-guess" })).status).toBe(429);
    // Its address has shown the root token before.
    expect((await guarded.root("GET", "/v1/tasks")).status).toBe(200);
    expect((await guarded.as({ authorization: `Bearer ${body.token}` })("GET", "/v1/tasks")).status).toBe(200);
    expect((await ada.call("GET", "/v1/tasks")).status).toBe(200);
    expect((await guarded.signIn("rep")).cookie).toContain("ols_");
  });
});

describe("guessing", () => {
  test("is slowed down by name and by address, and tells nothing of which names there are", async () => {
    const guess = (name: string, given = "not the password") =>
      guarded.as({})("POST", "/v1/session", { name, password: given });
    const known = [await guess("rep"), await guess("rep")];
    expect(known.map(({ status }) => status)).toEqual([401, 401]);
    const third = await guess("rep", password);
    expect([third.status, third.body.error.code]).toEqual([429, "too-many"]);
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(0);
    // The address has to wait, whatever name it tries.
    const other = await guess("nobody");
    expect(other.status).toBe(429);
    expect(known[0]!.body.error.message).toBe("The name or the password is wrong.");
  });

  test("has the same answer for a name that does not exist", async () => {
    const known = await guarded.as({})("POST", "/v1/session", { name: "rep", password: "wrong password" });
    const unknown = await guarded.as({})("POST", "/v1/session", { name: "nobody", password: "wrong password" });
    expect([unknown.status, unknown.body]).toEqual([known.status, known.body]);
  });

  test("is in the audit record, many tries as one", async () => {
    for (const _time of [1, 2])
      await guarded.as({})("POST", "/v1/session", { name: "rep", password: "wrong password" });
    await expect
      .poll(async () => (await guarded.root("GET", "/v1/audit?outcome=refused")).body.records, { timeout: 20_000 })
      .toMatchObject([{ by: "", action: "sign-in", target: "rep", count: 2, address: "127.0.0.1" }]);
  });
});

describe("event streams", () => {
  test("take the cookie, show what is in the user's queues, and end at once when he is removed", async () => {
    const { cookie } = await guarded.signIn("rep");
    const nap = { kind: "sleep", input: { seconds: 1 } };
    await guarded.root("POST", "/v1/tasks", { ...nap, queue: "secret", id: "before", name: "hidden-before" });
    const live = await open("/v1/events", `Cookie: ${cookie}`);
    const replay = await open("/v1/events?after=0", `Cookie: ${cookie}`);
    const states = await open("/v1/events?state=created,cancelled", `Cookie: ${cookie}`);
    const named = await open("/v1/events?task=seen,hidden", `Cookie: ${cookie}`);
    await guarded.root("POST", "/v1/tasks", { ...nap, queue: "secret", id: "hidden", name: "hidden" });
    await guarded.root("POST", "/v1/tasks/hidden/cancel", {});
    await guarded.root("POST", "/v1/queues/secret/pause", {});
    await guarded.root("POST", "/v1/tasks", { ...nap, queue: "reports", id: "seen", name: "seen" });
    await guarded.root("POST", "/v1/tasks/seen/cancel", {});
    for (const stream of [live, replay, states, named]) {
      await stream.until('"state":"cancelled"');
      expect(stream.received).toContain('"id":"seen"');
      expect(stream.received).not.toMatch(/hidden|secret|before/);
    }
    await guarded.root("DELETE", "/v1/users/rep");
    for (const stream of [live, replay, states, named]) await stream.closed();
    const again = await open("/v1/events", `Cookie: ${cookie}`);
    expect(again.received).toMatch(/^HTTP\/1\.1 401/);
  });

  test("end when the role changes, and with a token that is removed", async () => {
    const { cookie } = await guarded.signIn("rep");
    const ofUser = await open("/v1/events", `Cookie: ${cookie}`);
    const { body } = await guarded.root("POST", "/v1/tokens", { name: "t", role: "viewer" });
    const ofToken = await open("/v1/events", `Authorization: Bearer ${body.token}`);
    const ofRoot = await open("/v1/events", `Authorization: Bearer ${rootToken}`);
    await guarded.root("PUT", "/v1/users/rep", { role: "viewer" });
    await ofUser.closed();
    await guarded.root("DELETE", "/v1/tokens/t");
    await ofToken.closed();
    // The others go on.
    await guarded.root("POST", "/v1/queues/q/pause", {});
    await ofRoot.until("event: queue");
  });

  test("tell a reader that goes on with other queues to look again: whoever waits for what is not his any more is told so", async () => {
    const session = { name: "rep", password, asBearer: true };
    const { body } = await guarded.as({})("POST", "/v1/session", session);
    await guarded.root("POST", "/v1/tasks", { kind: "sleep", input: { seconds: 0 }, queue: "reports", id: "his" });
    const client = createClient({ masters: guarded.url, token: body.token });
    const one = client.wait("his").catch((error: unknown) => error);
    const all = untilReset(client);
    const metrics = async (): Promise<string> => (await guarded.root("GET", "/metrics")).body;
    await expect.poll(metrics).toMatch(/outlast_streams\{kind="client"\} 2/);
    await guarded.root("PUT", "/v1/users/rep", { role: "operator", queues: ["other"] });
    expect(await one).toMatchObject({ code: "not-found" });
    expect(await all).toBe("reset");
  });
});

test("a cluster without credentials is open until the first user, who must be an admin", async () => {
  await guarded.stop();
  guarded = new GuardedApi(null);
  await guarded.start();
  const call = guarded.as({});
  expect((await call("GET", "/v1/session")).body).toMatchObject({ principal: { kind: "anybody" }, isOpen: true });
  expect((await call("GET", "/v1/status")).body).toMatchObject({ isOpen: true });
  const stream = await open("/v1/events", "x: y");
  expect((await call("POST", "/v1/users", { name: "bob", role: "viewer", password })).status).toBe(409);
  expect((await call("POST", "/v1/users", { name: "ada", role: "admin", password })).status).toBe(201);
  await stream.closed();
  expect((await call("GET", "/v1/tasks")).status).toBe(401);
  const ada = await guarded.signIn("ada");
  expect((await ada.call("GET", "/v1/status")).body).toMatchObject({ isOpen: false });
  expect((await ada.call("DELETE", "/v1/users/ada")).body.error.message).toContain("last admin");
});
