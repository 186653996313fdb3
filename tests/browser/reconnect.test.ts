/** The death of the leader under an open page: it says so, comes back by itself and has missed nothing. */
import { test } from "vitest";
import { openPage, watched, wide } from "./browser.ts";

test("a page outlasts the death of the only master", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client }) => {
    await client.submit({ id: "before", kind: "sleep", input: { seconds: 1 } });
    const page = await openPage(`${cluster.address}/tasks`, { ...wide, mayFailToLoad: /./ });
    await page.getByRole("link", { name: "before" }).waitFor();
    await cluster.kill("master");
    await page.getByText("Connection lost", { exact: true }).first().waitFor();
    await cluster.start("master");
    await client.submit({ id: "after", kind: "sleep", input: { seconds: 1 } });
    await page.getByRole("link", { name: "after" }).waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByRole("row").filter({ hasText: "before" }).getByText("success").waitFor();
    await page.getByRole("row").filter({ hasText: "after" }).getByText("success").waitFor();
  });
});

test("a page of a standby goes on when the leader dies, under the next leader", async () => {
  await watched(
    ["master-1", "master-2", "worker-1"],
    async ({ cluster, client, until }) => {
      await until("a leader and a standby", async () => (await client.masters()).length === 2);
      const leader = (await client.masters()).find(({ role }) => role === "leader");
      const [dead, survivor] = leader?.name === "master-1" ? ["master-1", "master-2"] : ["master-2", "master-1"];
      const page = await openPage(cluster.addressOf(survivor), { ...wide, mayFailToLoad: /./ });
      await page.getByText(`${survivor} · standby`).waitFor();
      await page.getByRole("link", { name: "worker-1" }).first().waitFor();
      await cluster.kill(dead);
      await page.getByText(`${survivor} · leader`).waitFor();
      await client.submit({ id: "later", kind: "sleep", input: { seconds: 0 } });
      await page.getByRole("link", { name: "success 1" }).waitFor();
      await page.getByText(/^Epoch 2: /).waitFor();
    },
    { masters: ["master-1", "master-2"] },
  );
});
