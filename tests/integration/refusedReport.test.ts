/** A result that masters refuse, as one that was damaged on its worker's disk: those of other tasks get through. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient } from "../../src/sdk/client.ts";
import { Started } from "./commands.ts";

/** In front of a master, which would refuse such a report as a whole. @returns its address */
async function refuser(port: string, isBad: (body: string) => boolean): Promise<string> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const body = Buffer.concat(pieces);
    if (request.url?.endsWith("/reports") === true && isBad(body.toString())) {
      const error = { code: "invalid", message: "The result is damaged.", path: "/items/0" };
      return void response.writeHead(422, { "content-type": "application/json" }).end(JSON.stringify({ error }));
    }
    const { method, url, headers } = request;
    const passed = httpRequest({ host: "127.0.0.1", port, method, path: url, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      response.flushHeaders();
      answered.pipe(response);
    });
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    passed.end(body);
  };
  const proxy = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

test("takes no result of another task along, and its own task is not left waiting", async () => {
  const port = String(await findFreePort());
  const master = new Started(["master", "--port", port, "--store", "memory:"]);
  await master.line(/^outlast master ready at /);
  const client = createClient({ masters: `http://127.0.0.1:${port}` });
  const address = await refuser(port, (body) => /"task":"bad".*"outcome":"success"/.test(body));
  const options = ["--masters", address, "--capacity", "30", "--name", "w", "--data", "refused-report"];
  const worker = new Started(["worker", ...options]);
  await worker.line(/attached to a master/);
  const ids = [...Array.from({ length: 20 }, (_, index) => `good-${index}`), "bad"];
  const tasks = ids.map((id) => ({ id, kind: "sleep", input: { seconds: 1 }, attemptsMax: 1 }) as const);
  await client.submitAll(tasks);
  for (const id of ids.slice(0, -1)) expect(await client.wait(id)).toMatchObject({ state: "success", attempt: 1 });
  expect(await client.wait("bad")).toMatchObject({
    state: "failed",
    error: { code: "result-refused", message: "No master takes its result: The result is damaged." },
  });
  expect(await worker.line(/a master refused what this worker reported/)).toMatch(/"task":"bad"/);
  for (const { child } of [worker, master]) child.kill("SIGKILL");
});
