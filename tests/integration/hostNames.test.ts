/** People who reach masters by the name of a load balancer, which passes on what they sent as it is. */
import { afterEach, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { RawConnection } from "../../src/proof/fakes/rawHttp.ts";
import { Started } from "./commands.ts";

const env = { OUTLAST_TOKEN: "the-token-of-the-whole-cluster-0123456789" };
const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function start(...options: string[]): Promise<string> {
  const port = await findFreePort();
  const process = new Started(["master", "--store", "memory:", "--port", String(port), ...options], { env });
  ends.push(() => process.child.kill("SIGKILL"));
  await process.line(/^outlast master ready/);
  return `http://127.0.0.1:${port}`;
}

/** What a browser sends at a sign-in, to that name. */
async function signIn(master: string, host: string): Promise<string> {
  const connection = await RawConnection.open(master);
  ends.push(() => connection.close());
  const body = JSON.stringify({ token: env.OUTLAST_TOKEN });
  const head = `POST /v1/session HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nConnection: close\r\n`;
  connection.send(`${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return connection.closed();
}

test("a sign-in at a load balancer's name is refused with what to do, and works once that is done", async () => {
  const stranger = await signIn(await start(), "Lb.example:8080");
  expect(stranger).toMatch(/^HTTP\/1.1 403/);
  expect(stranger).toContain("start every master with --host-names lb.example (OUTLAST_HOST_NAMES)");
  const named = await start("--host-names", "other.example,LB.example");
  expect(await signIn(named, "lb.example:8080")).toMatch(/^HTTP\/1.1 200/);
  expect(await signIn(named, "evil.example")).toMatch(/^HTTP\/1.1 403/);
});

test("names with a scheme or a port are refused at the start", async () => {
  for (const wrong of ["http://lb.example", "lb.example:80", "*.example"]) {
    const { code, stderr } = await new Started(["master", "--store", "memory:", "--host-names", wrong], { env }).ended;
    expect([wrong, code, stderr]).toEqual([wrong, 2, expect.stringContaining("without a scheme or a port")]);
  }
});
