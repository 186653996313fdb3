/** A task that waits for others: a reader is told for which, by the name that people know, and gets there by a click. */
import { expect, test } from "vitest";
import { openPage, watched } from "./browser.ts";

test("a blocked task names what it waits for and leads there; the list cuts ids before names", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, until }) => {
    const command = ["true"];
    const tasks = {
      "load-sales-of-rome": { kind: "exec", input: { command }, queue: "nobody" },
      report: { kind: "exec", input: { command }, after: ["load-sales-of-rome"] },
    };
    await client.submit({ id: "import-of-all-sales", kind: "graph", input: { tasks } });
    await until("its tasks to be there", async () => (await client.list({ states: ["blocked"] })).tasks.length === 1);

    const page = await openPage(`${cluster.address}/tasks`, {
      viewport: { width: 1280, height: 800 },
      colorScheme: "dark",
    });
    const name = page.getByRole("link", { name: "load-sales-of-rome" });
    await name.waitFor();
    expect(await name.evaluate((link) => link.scrollWidth <= link.clientWidth)).toBe(true);

    await page.getByRole("link", { name: "report", exact: true }).click();
    await page.getByText("Why it waits: waits for load-sales-of-rome").waitFor();
    await page.getByRole("link", { name: "load-sales-of-rome" }).click();
    await page.getByRole("heading", { level: 1, name: "load-sales-of-rome" }).waitFor();

    await page.goto(`${cluster.address}/tasks/import-of-all-sales/family`);
    await page.getByText("waits for load-sales-of-rome", { exact: true }).waitFor();

    await page.goto(`${cluster.address}/tasks/import-of-all-sales/graph`);
    const zoom = page.getByRole("button", { name: "Zoom In" });
    await zoom.waitFor();
    const [surface, background] = await zoom.evaluate((button) => [
      getComputedStyle(button.closest(".card") ?? button).backgroundColor,
      getComputedStyle(button).backgroundColor,
    ]);
    expect(background).toBe(surface);
  });
});

test("a task that waits for its key names the task that holds it, and leads there", async () => {
  await watched(
    ["master", "worker-1"],
    async (stage) => {
      const { cluster, client } = stage;
      const keyed = { kind: "sleep", input: { seconds: 600 }, concurrencyKey: "customer: 7" };
      await client.submit({ ...keyed, id: "holder", name: "export the customer" });
      await stage.started("holder");
      await client.submit({ ...keyed, id: "next", name: "import the customer" });
      const page = await openPage(`${cluster.address}/tasks/next`);
      await page.getByText('Why it waits: only 1 task with the key "customer: 7" may run at a time').waitFor();
      await page.getByRole("link", { name: "export the customer" }).click();
      await page.getByRole("heading", { level: 1, name: "export the customer" }).waitFor();
      expect(await page.getByText("Why it waits").count()).toBe(0);
    },
    { capacity: 2 },
  );
});
