/** People who sign in through a proxy that has TLS: real requests through a real proxy, to a real master. */
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { Started } from "./commands.ts";

const name = "outlast.example";
const env = { OUTLAST_TOKEN: "the-token-of-the-whole-cluster-0123456789" };
const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

test("people sign in at the proxy's name, and the audit has their own addresses", async () => {
  const { master, proxy } = await start("--behind-proxy");
  const signedIn = await signIn(proxy, `https://${name}`);
  expect(signedIn.status).toBe(200);
  expect(signedIn.cookie).toContain("Secure");
  expect((await signIn(proxy, "https://elsewhere.example")).status).toBe(403);

  expect((await signIn(proxy, `https://${name}`, "a wrong password")).status).toBe(401);
  const audit = await new Started(["audit", "--json", ...master], { env }).ended;
  expect(audit.stdout).toContain('"address":"203.0.113.9"');
  const doctor = await new Started(["doctor", ...master], { env }).ended;
  expect(doctor.stdout).not.toContain("without TLS");
});

test("a master that knows of no proxy believes none", async () => {
  const { master, proxy } = await start();
  expect((await signIn(proxy, `https://${name}`)).status).toBe(403);
  const audit = await new Started(["audit", "--json", ...master], { env }).ended;
  expect(audit.stdout).not.toContain("203.0.113.9");
});

async function start(...options: string[]): Promise<{ master: string[]; proxy: number }> {
  const port = await findFreePort();
  const process = new Started(["master", "--store", "memory:", "--port", String(port), ...options], { env });
  ends.push(() => process.child.kill("SIGKILL"));
  await process.line(/^outlast master ready/);
  const master = ["--masters", `http://127.0.0.1:${port}`];
  const add = ["user", "add", "ada", "--role", "admin", ...master];
  const added = await new Started(add, { env, input: "a long enough password\n" }).ended;
  expect(added).toMatchObject({ code: 0 });
  return { master, proxy: await startProxy(port) };
}

/** Like nginx with `proxy_set_header`: the master sees the proxy's own connection, and is told of the caller's. */
async function startProxy(to: number): Promise<number> {
  const proxy: Server = createServer((incoming, outgoing) => {
    const forwarded = { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "x-forwarded-host": name };
    const headers = { ...incoming.headers, ...forwarded, host: `127.0.0.1:${to}` };
    const passed = request({ port: to, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  ends.push(() => proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return (proxy.address() as AddressInfo).port;
}

async function signIn(
  port: number,
  origin: string,
  password = "a long enough password",
): Promise<{ status: number; cookie: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ name: "ada", password }),
  });
  return { status: answer.status, cookie: answer.headers.get("set-cookie") ?? "" };
}
