/** The route that limits a queue: what it passes on, and what it refuses. */
import { expect, test } from "vitest";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { createApi } from "../http/server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test("queues are limited, and nonsense is refused", async () => {
  const master = new FakeMasterApi();
  const api = createApi({ master, log: silent, token: null });
  const limit = async (payload: object) =>
    (
      await api.http.inject({ method: "POST", url: "/v1/queues/mail/limits", headers: { host: "localhost" }, payload })
    ).json();
  const bounds = { concurrencyMax: 5, rate: { count: 100, perMs: 60_000 } };
  expect(await limit(bounds)).toEqual({ name: "mail", ...bounds });
  expect(await limit({ concurrencyMax: null })).toEqual({ name: "mail" });
  const told = [
    ["mail", bounds],
    ["mail", { concurrencyMax: null }],
  ];
  expect(master.calls.map((call) => call.with)).toEqual(told);
  const wrongs = [{}, { concurrencyMax: 0 }, { concurrencyMax: 1.5 }, { rate: { count: 1 } }, { rate: 5 }, { max: 1 }];
  for (const wrong of wrongs) expect((await limit(wrong)).error).toMatchObject({ code: "invalid" });
  expect(master.calls).toHaveLength(told.length);
  await api.close();
});
