/**
 * Bad heads of requests and their wanted answers: paths, keys, origins, hosts, pages, methods.
 * The numbers are those of the catalogue of bad inputs that the limits were drawn from.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { type BadInput, expectRefused, get, localHost as host, post } from "../../proof/fakes/badInput.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { routes } from "../routes/routes.ts";
import { type ApiServer, createApi } from "./server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;

beforeAll(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterAll(() => api.close());

const nap = { kind: "sleep", input: { seconds: 1 } };
const submit = (headers: Record<string, string>) => post("/v1/tasks", nap, headers);

const cases: readonly BadInput[] = [
  // 8: paths
  {
    what: "dots and slashes for an id",
    send: get("/v1/tasks/..%2f..%2fetc%2fpasswd"),
    code: "bad-request",
    path: "/id",
    limit: "idLengthMax",
  },
  { what: "a backslash in an id", send: get("/v1/tasks/a%5cb/logs"), code: "bad-request", path: "/id" },
  { what: "NUL in an id", send: get("/v1/tasks/a%00"), code: "bad-request", path: "/id" },
  { what: "an id of 300 characters", send: get(`/v1/tasks/${"a".repeat(300)}`), code: "bad-request", path: "/id" },
  { what: "an escape that is none", send: get("/v1/tasks/%zz"), code: "bad-request" },
  { what: "an id of 2000 characters", send: get(`/v1/tasks/${"a".repeat(2000)}`), code: "bad-request" },
  // 12: idempotency keys
  { what: "an empty key", send: submit({ "idempotency-key": "" }), code: "bad-request" },
  {
    what: "a long key",
    send: submit({ "idempotency-key": "k".repeat(limits.idempotencyKeyLengthMax + 1) }),
    code: "bad-request",
    limit: "idempotencyKeyLengthMax",
  },
  { what: "a key that cannot be printed", send: submit({ "idempotency-key": "a\tb" }), code: "bad-request" },
  // 30: pages of others
  { what: "another origin", send: submit({ origin: "https://evil.example" }), code: "forbidden" },
  { what: "no origin at all", send: submit({ origin: "null" }), code: "forbidden" },
  { what: "another port's origin", send: get("/v1/tasks", { origin: "http://127.0.0.1:8080" }), code: "forbidden" },
  { what: "a name that was made to point here", send: get("/v1/tasks", { host: "evil.example" }), code: "forbidden" },
  {
    what: "a name that only begins like ours",
    send: get("/v1/tasks", { host: "127.0.0.1.evil.example" }),
    code: "forbidden",
  },
  { what: "a host that is none", send: get("/v1/tasks", { host: "a b" }), code: "bad-request" },
  { what: "a stream without a session", send: get("/v1/workers/w/stream"), code: "bad-request", path: "/session" },
  // 38: pages
  {
    what: "a page of 10^9",
    send: get("/v1/tasks?limit=1000000000"),
    code: "bad-request",
    path: "/limit",
    limit: "pageMax",
  },
  { what: "a page of nothing", send: get("/v1/tasks?limit=0"), code: "bad-request", path: "/limit" },
  { what: "a negative page", send: get("/v1/tasks?limit=-1"), code: "bad-request", path: "/limit" },
  { what: "a page in words", send: get("/v1/tasks?limit=many"), code: "bad-request", path: "/limit" },
  { what: "two pages", send: get("/v1/tasks?limit=1&limit=2"), code: "bad-request", path: "/limit" },
  { what: "an order by anything", send: get("/v1/tasks?order=input"), code: "bad-request", path: "/order" },
  { what: "an unknown state", send: get("/v1/tasks?state=created,done"), code: "bad-request", path: "/state" },
  {
    what: "an unknown filter",
    send: get("/v1/tasks?stat=created"),
    code: "bad-request",
    path: "/stat",
    hint: 'Did you mean "state"?',
  },
  {
    what: "a cursor of a megabyte",
    send: get(`/v1/tasks?cursor=${"a".repeat(limits.cursorLengthMax + 1)}`),
    code: "bad-request",
    limit: "cursorLengthMax",
  },
  { what: "a negative offset", send: get("/v1/tasks/a/logs?offset=-1"), code: "bad-request", path: "/offset" },
  { what: "an attempt that cannot be", send: get("/v1/tasks/a/logs?attempt=0"), code: "bad-request", path: "/attempt" },
  { what: "a place in the journal that is none", send: get("/v1/events?after=x"), code: "bad-request", path: "/after" },
  {
    what: "a last event that is none",
    send: get("/v1/events", { "last-event-id": "x" }),
    code: "bad-request",
    path: "/last-event-id",
  },
  // methods and places
  { what: "an unknown path", send: get("/v2/tasks"), code: "not-found" },
  { what: "a path with another case", send: get("/V1/tasks"), code: "not-found" },
];

test.each(cases)("$what is refused", async (input) => {
  await expectRefused(input, master, (send) => api.http.inject(send));
  expect.hasAssertions();
});

describe("methods", () => {
  const all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"] as const;

  test("that a path does not have are told which it has", async () => {
    for (const path of new Set(routes.map((route) => route.path))) {
      const url = path.replace(/:\w+/g, "x");
      const options = await api.http.inject({ method: "OPTIONS", url, headers: { host } });
      expect([options.statusCode, options.body]).toEqual([204, ""]);
      const allowed = String(options.headers["allow"]).split(", ");
      expect(options.headers["access-control-allow-origin"]).toBeUndefined();
      for (const method of all) {
        if (allowed.includes(method)) continue;
        const response = await api.http.inject({ method: method as "PUT", url, headers: { host } });
        expect([method, path, response.statusCode]).toEqual([method, path, 405]);
        expect(response.headers["allow"]).toBe(options.headers["allow"]);
      }
    }
    expect(master.calls).toEqual([]);
  });

  test("HEAD answers like GET without a body", async () => {
    for (const url of ["/v1/tasks", "/healthz", "/v1/status"]) {
      const response = await api.http.inject({ method: "HEAD", url, headers: { host } });
      expect([response.statusCode, response.body]).toEqual([200, ""]);
    }
  });
});

describe("names that are ours", () => {
  test.each(["localhost", "localhost:7070", "a.localhost", "127.0.0.1", "10.1.2.3:7070", "[::1]:7070", "LOCALHOST:1"])(
    "%s",
    async (name) => {
      expect((await api.http.inject(get("/v1/tasks", { host: name }))).statusCode).toBe(200);
    },
  );

  test("also what the master calls itself, and its own pages", async () => {
    master.state = { ...master.state, address: "http://master.example:7070" };
    const headers = { host: "master.example:7070", origin: "http://master.example:7070" };
    expect((await api.http.inject(get("/v1/tasks", headers))).statusCode).toBe(200);
  });
});
