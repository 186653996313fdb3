/** The page of a task with much to show: steps, long texts and children without names keep it short and readable. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { book } from "./tasks/stepTasks.ts";

const file = fileURLToPath(new URL("./tasks/stepTasks.ts", import.meta.url));
const steps = 120;
const pages = 5;
/** Of the page, before anything is opened. */
const heightMax = 4_000;

test("many steps and long texts are shown once they are asked for; children without names are numbered", () =>
  watched(
    ["master", "worker-1"],
    async ({ cluster, client }) => {
      const text = "never ending ".repeat(1_000);
      const { id } = await book.submit(client, { steps, pages, text }, { id: "book" });
      await client.wait(id);
      const address = `${cluster.address}/tasks/${id}`;
      const page = await openPage(address, wide);
      const table = page.getByRole("table", { name: "Steps" });
      const rows = table.getByRole("row");
      await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(11);
      expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(heightMax);
      await screenshot(page, "task-many-steps-wide");

      await page.getByRole("button", { name: "Show all 13,000 characters" }).click();
      await page.getByText(text.slice(-700)).waitFor();
      await page.getByRole("button", { name: "Show less" }).click();
      await page.getByRole("button", { name: "Show 100 steps" }).click();
      await expect.poll(() => rows.count()).toBe(101);
      await page.getByRole("button", { name: "Show more steps" }).click();
      // The set of children is a step, too.
      await expect.poll(() => rows.count()).toBe(1 + steps + 1);
      expect(await page.getByRole("button", { name: /steps$/ }).count()).toBe(0);

      const children = page.getByRole("table", { name: "Children" }).getByRole("link");
      expect(await children.allInnerTexts()).toEqual(["page 0", "page 1", "page 2", "page 3", "page 4"]);
      await children.nth(3).click();
      await page.getByRole("heading", { level: 1, name: "page 3" }).waitFor();
      // The first one is called on every page as it is beside the others.
      await page.goBack();
      await children.nth(0).click();
      await page.getByRole("heading", { level: 1, name: "page 0" }).waitFor();
      for (const [rest, heading] of [
        ["/family", "Family of page 0"],
        ["/timeline", "Timeline of page 0"],
      ] as const) {
        await page.goto(page.url().replace(/(\/family)?$/, rest));
        await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      }

      await page.goto(`${cluster.address}/tasks`);
      await page.getByRole("main").getByRole("link", { name: "page 0" }).waitFor();
      await page.getByRole("searchbox").fill("page 3");
      await page.keyboard.press("Enter");
      await page.getByText("“page 3” is a child").waitFor();
      await screenshot(page, "tasks-numbered-child");
      await page.getByRole("main").getByRole("link", { name: "page 3" }).click();
      await page.getByRole("heading", { level: 1, name: "page 3" }).waitFor();
      for (const path of ["/timeline", `/tasks/${id}/timeline`]) {
        await page.goto(cluster.address + path);
        await page.getByRole("table", { name: "Attempts" }).getByRole("link", { name: "page 3" }).waitFor();
      }

      const phone = await openPage(address, { ...narrow, colorScheme: "dark" });
      await phone.getByRole("button", { name: "Show 100 steps" }).waitFor();
      expect(await violations(phone)).toEqual([]);
      await screenshot(phone, "task-many-steps-narrow");
    },
    { workerArguments: ["--tasks", file], capacity: 4 },
  ));

test("a task that no worker has run, or that none is given, is told of no worker and no attempts", () =>
  watched(["master", "worker-1"], async ({ cluster, client }) => {
    const nodes = { only: { kind: "exec", input: { command: ["true"] } } };
    const { id } = await client.submit({ id: "one", kind: "graph", input: { tasks: nodes } });
    await client.wait(id);
    await client.submit({ id: "alone", kind: "exec", input: { command: ["true"] }, queue: "nobody" });
    const page = await openPage(`${cluster.address}/tasks/one`);
    await page.getByText("Ended", { exact: true }).waitFor();
    for (const fact of ["Last worker", "Attempts"]) expect(await page.getByText(fact, { exact: true }).count()).toBe(0);
    await page.goto(`${cluster.address}/tasks/alone`);
    await page.getByText("none yet", { exact: true }).waitFor();
    expect(await page.getByText("Last worker").count()).toBe(0);
    await client.cancel("alone");
    await page.getByText("none", { exact: true }).waitFor();
  }));
