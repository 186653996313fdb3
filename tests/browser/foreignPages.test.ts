/** Pages of others, in a real browser with a session of ours: they can neither frame the dashboard, nor read the API, nor change anything by it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { hostOfOthers, openPage, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

let others: Server | null = null;
afterEach(() => others?.close());

/** A page of somebody else on the same machine: another port is another origin, but the same site, so the cookie is sent along. */
async function serveForeignPage(html: string): Promise<string> {
  others = createServer((_request, response) => response.setHeader("content-type", "text/html").end(html));
  await new Promise<void>((resolve) => others?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(others.address() as AddressInfo).port}`;
}

test("a foreign page with the browser's cookie changes nothing, reads nothing and cannot frame the dashboard", async () => {
  await watched(
    ["master"],
    async ({ cluster }) => {
      const root = rootOf({ cluster });
      await root.people.addUser({ name: "ada", role: "admin", password });
      await root.submit({ id: "waits", kind: "sleep", input: { seconds: 1 } });
      const page = await openPage(`${cluster.address}/healthz`, { ...wide, mayFailToLoad: /./, mayBeBlocked: true });
      await page.request.post(`${cluster.address}/v1/session`, { data: { name: "ada", password } });
      // The cookie works where it should.
      expect((await page.request.get(`${cluster.address}/v1/tasks/waits`)).status()).toBe(200);

      const cancel = `${cluster.address}/v1/tasks/waits/cancel`;
      const html = `<!doctype html><iframe src="${cluster.address}/"></iframe>
        <form method="post" enctype="text/plain" action="${cancel}"><button>a form</button></form>`;
      await page.goto(await serveForeignPage(html));
      const outcome = await page.evaluate(async (url) => {
        const tried = async (path: string, options: RequestInit): Promise<string> => {
          try {
            const response = await fetch(url + path, { credentials: "include", ...options });
            return `${response.type} ${response.status}`;
          } catch {
            return "blocked";
          }
        };
        return {
          read: await tried("/v1/tasks", {}),
          unseen: await tried("/v1/tasks/waits/cancel", { method: "POST", mode: "no-cors" }),
          withHeader: await tried("/v1/tasks/waits/cancel", { method: "POST", headers: { "x-outlast-csrf": "guess" } }),
        };
      }, cluster.address);
      expect(outcome).toEqual({ read: "blocked", unseen: "blocked", withHeader: "blocked" });
      const framed = page.frames().find((frame) => frame !== page.mainFrame());
      expect(await framed?.locator("body").innerText()).not.toContain("Overview");
      expect(framed?.url()).not.toBe(`${cluster.address}/`);
      await page.getByRole("button", { name: "a form" }).click();
      await page.getByText("forbidden").waitFor();
      expect((await root.get("waits")).state).toBe("created");
    },
    guarded,
  );
});

test("a foreign name that points at this machine gets neither the page nor the API", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    await client.submit({ id: "waits", kind: "sleep", input: { seconds: 1 } });
    const rebound = `http://${hostOfOthers}:${new URL(cluster.address).port}`;
    const page = await openPage(`${rebound}/`, { ...wide, mayFailToLoad: /./ });
    await page.getByText("is not this master's.").waitFor();
    // The name was the attacker's own a moment ago: this page is from there, and its calls go to the master.
    await page.route(`${rebound}/attack`, (route) => route.fulfill({ contentType: "text/html", body: "the attack" }));
    await page.goto(`${rebound}/attack`);
    const answers = await page.evaluate(async () => {
      const tried = (path: string, options: RequestInit) =>
        fetch(path, options).then(
          ({ status }) => status,
          () => "blocked by the browser",
        );
      return [await tried("/v1/tasks", {}), await tried("/v1/tasks/waits/cancel", { method: "POST" })];
    });
    expect(answers).toEqual([403, 403]);
    expect((await client.get("waits")).state).toBe("created");
  });
});
