/** Nothing that a client sends to a standby may reach the leader as a request of its own. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { RawConnection } from "../../proof/fakes/rawHttp.ts";
import { type ApiServer, createApi } from "./server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What the leader was asked. */
let seen: string[];
let leader: Server;
let api: ApiServer;
let url: string;

beforeEach(async () => {
  seen = [];
  leader = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers["content-length"] ?? "-"}`);
    response.end("{}");
  });
  await new Promise<void>((resolve) => leader.listen(0, "127.0.0.1", resolve));
  const standby = new FakeMasterApi();
  const address = `http://127.0.0.1:${(leader.address() as AddressInfo).port}`;
  standby.state = { ...standby.state, role: "standby", leader: address };
  api = createApi({ master: standby, log: silent, token: null });
  url = await api.listen({ address: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  leader.closeAllConnections();
  leader.close();
  await api.close();
});

test.each(["GET", "HEAD"])("the body of a %s stays behind", async (method) => {
  const smuggled = "POST /v1/queues/stolen/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
  const first = await RawConnection.open(url);
  const head = `${method} /v1/workers HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${smuggled.length}\r\n\r\n`;
  first.send(head + smuggled);
  await first.until("200 OK");
  // They go over the connection that the first one has left.
  for (const path of ["/v1/queues", "/v1/workers/a"]) expect((await fetch(url + path)).status).toBe(200);
  first.close();
  expect(seen).toEqual([`${method} /v1/workers -`, "GET /v1/queues -", "GET /v1/workers/a -"]);
});
