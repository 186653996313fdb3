/** The endpoints for many tasks at once, against a fake master. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;

beforeEach(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterEach(() => api.close());

async function call(url: string, payload: object) {
  return api.http.inject({ method: "POST", url, headers: { host: "localhost" }, payload });
}

test("a filter reaches the master, and the cursor goes on where the answer ended", async () => {
  await master.submit(
    ["a", "b"].map((id) => ({ id, kind: "sleep", input: { seconds: 1 } })),
    null,
  );
  const filter = { queue: "default", state: ["created", "retrying"] };
  const first = await call("/v1/bulk/cancel", { filter, isDryRun: true, limit: 5 });
  expect(first.json()).toEqual({ tasks: ["a"], refused: [], cursor: "b" });
  expect((await call("/v1/bulk/cancel", { filter, cursor: "b" })).json()).toMatchObject({ tasks: ["b"], cursor: null });
  expect(master.bulk.asked).toEqual([
    {
      action: "cancel",
      request: {
        filter: { queue: "default", states: ["created", "retrying"] },
        cursor: null,
        limit: 5,
        isDryRun: true,
      },
    },
    {
      action: "cancel",
      request: {
        filter: { queue: "default", states: ["created", "retrying"] },
        ...{ cursor: "b", limit: limits.bulkPageMax, isDryRun: false },
      },
    },
  ]);
  expect((await call("/v1/bulk/delete", { filter: { name: "x" } })).statusCode).toBe(200);
});

test("children of a task or roots are meant as in a list, and not both", async () => {
  await call("/v1/bulk/retry", { filter: { parent: "p" } });
  await call("/v1/bulk/cancel", { filter: { roots: true } });
  expect(master.bulk.asked.map(({ request }) => request.filter)).toEqual([{ parent: "p" }, { isRoot: true }]);
  expect((await call("/v1/bulk/cancel", { filter: { parent: "p", roots: true } })).statusCode).toBe(400);
});

test("a request that names nothing, or what is not there, is refused", async () => {
  const empty = await call("/v1/bulk/delete", { filter: {} });
  expect(empty.statusCode).toBe(422);
  expect(empty.json().error).toMatchObject({ path: "/filter", hint: expect.stringContaining("all their states") });
  for (const wrong of [
    {},
    { filter: { state: [] } },
    { filter: { state: ["gone"] } },
    { filter: { owner: "x" } },
    { filter: { queue: "q" }, limit: limits.bulkPageMax + 1 },
    { filter: { queue: "q" }, isDryRun: "yes" },
    { filter: { roots: false } },
  ]) {
    expect((await call("/v1/bulk/cancel", wrong)).statusCode).toBe(422);
  }
  expect(master.bulk.asked).toEqual([]);
});
