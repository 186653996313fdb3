/** The overview of a standby says what only the leader knows, as that of the leader does. */
import { test } from "vitest";
import { openPage, watched } from "./browser.ts";

test("a standby's overview tells why tasks wait, for how long, and which slots are in use", async () => {
  await watched(
    ["master-1", "master-2", "worker-1"],
    async ({ cluster, client, until }) => {
      await until("a leader and a standby", async () => (await client.masters()).length === 2);
      await until("a worker", async () => (await client.workers()).length === 1);
      const nap = { kind: "sleep", input: { seconds: 600 } } as const;
      await client.submitAll([nap, { ...nap, queue: "nobody" }]);
      await until("one to run", async () => (await client.list({ states: ["running"] })).tasks.length === 1);
      for (const { name, role } of await client.masters()) {
        const page = await openPage(cluster.addressOf(name ?? ""));
        await page.getByText(`${name} · ${role}`).waitFor();
        await page.getByRole("heading", { name: "Tasks wait for" }).waitFor();
        await page.getByRole("link", { name: "a worker of their queue 1" }).waitFor();
        await page.getByText(/^1 of \d+ slots in use, the longest wait is/).waitFor();
      }
    },
    { masters: ["master-1", "master-2"] },
  );
});
