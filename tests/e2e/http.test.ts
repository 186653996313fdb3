/** Calls of services: whose worker dies, which another one repeats, and whose answer holds what a master does not take. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { scene } from "./scene.ts";

test("a call whose worker is killed is made again under the same key", async () => {
  const calls: IncomingHttpHeaders[] = [];
  const service = createServer((request, response) => {
    calls.push(request.headers);
    // The first call is never answered.
    if (calls.length > 1) response.setHeader("Content-Type", "application/json").end('{"paid":true}');
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  try {
    await scene(
      ["master", "worker-1"],
      async (play) => {
        const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/pay`;
        await play.client.submit({ id: "pay", kind: "http", input: { url, json: { order: 7 } } });
        await play.until("the call", () => calls.length === 1);
        await play.cluster.kill("worker-1");
        await play.cluster.start("worker-2");
        const task = await play.success("pay");
        expect(task).toMatchObject({ kills: 1, failures: 0, output: { status: 200, body: { paid: true } } });
        expect(calls.map((headers) => [headers["idempotency-key"], headers["outlast-attempt"]])).toEqual([
          ["pay", "1"],
          ["pay", "2"],
        ]);
      },
      { workerArguments: ["--http-private"] },
    );
  } finally {
    service.closeAllConnections();
    service.close();
  }
});

test("an answer with a number that is too large to be exact is kept as text, and its worker goes on", async () => {
  const text = '{"id":1152921504606846976}';
  const service = createServer((_request, response) => {
    response.setHeader("Content-Type", "application/json").end(text);
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  try {
    await scene(
      ["master", "worker-1"],
      async (play) => {
        const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/user`;
        await play.client.submit({ id: "user", kind: "http", input: { url } });
        expect(await play.success("user")).toMatchObject({ attempt: 1, output: { status: 200, body: text } });
      },
      { workerArguments: ["--http-private"] },
    );
  } finally {
    service.closeAllConnections();
    service.close();
  }
});
