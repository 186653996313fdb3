/** The list of tasks with 10 000 rows: as fast at the end as at the beginning, filtered by its address, and cancelled in bulk. */
import { expect, test } from "vitest";
import { openPage, screenshot, watched } from "./browser.ts";

const count = 10_000;
/** Rows outside of the screen are not in the page. */
const rowsMax = 120;

test("10 000 tasks can be scrolled through, filtered, walked by keys and cancelled in bulk", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    const startAt = Date.now() + 86_400_000;
    const tasks = Array.from({ length: count }, (_, index) => ({
      id: `t${index}`,
      name: `task number ${index}`,
      kind: "sleep" as const,
      input: { seconds: 1 },
      startAt,
      queue: index < 12 ? "few" : "many",
    }));
    await client.submitAll(tasks);
    const page = await openPage(`${cluster.address}/tasks`);
    const rows = page.locator("[data-row]");
    await rows.first().waitFor();
    await expect
      .poll(
        async () => {
          await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
          return page.getByRole("link", { name: "task number 0", exact: true }).isVisible();
        },
        { timeout: 60_000, interval: 50 },
      )
      .toBe(true);
    expect(await page.getByText(`${new Intl.NumberFormat("en").format(count)} shown`).count()).toBe(1);
    expect(await rows.count()).toBeLessThan(rowsMax);
    await screenshot(page, "tasks-at-the-end");

    await page.goto(`${cluster.address}/tasks?queue=few&order=oldest`);
    await page.getByText("12 shown").waitFor();
    await page.locator("body").press("j");
    await page.locator("body").press("j");
    await page.keyboard.press("k");
    expect(await page.locator(":focus").textContent()).toBe("task number 0");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/tasks/t0");
    await page.getByRole("heading", { name: "task number 0" }).waitFor();
    await page.goBack();
    await page.keyboard.press("/");
    await page.keyboard.type("t3");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/tasks/t3");
    await page.goBack();

    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByText("12 selected").waitFor();
    await page.getByRole("button", { name: "Cancel …" }).click();
    expect(await page.getByRole("dialog").textContent()).toContain("12 tasks will be cancelled");
    expect((await client.get("t0")).state).toBe("created");
    await page.getByRole("button", { name: "Cancel 12 tasks" }).click();
    await page.getByText("12 of 12 cancelled").waitFor();
    expect((await client.list({ queue: "few", states: ["cancelled"] })).tasks).toHaveLength(12);
    expect((await client.get("t12")).state).toBe("created");

    await page.goto(`${cluster.address}/tasks?queue=many`);
    await page.getByRole("button", { name: "Cancel all that match …" }).click();
    const rest = new Intl.NumberFormat("en").format(count - 12);
    await page.getByText(`${rest} tasks will be cancelled.`).waitFor();
    expect((await client.get("t12")).state).toBe("created");
    await page.getByRole("button", { name: `Cancel ${rest} tasks` }).click();
    await page.getByText(`${rest} of ${rest} cancelled`).waitFor();
    expect((await client.list({ states: ["created"] })).tasks).toEqual([]);
    await page.getByRole("button", { name: "Close", exact: true }).last().click();
    await page.goto(`${cluster.address}/tasks?state=success`);
    await page.getByText("No task matches these filters").waitFor();
    await page.goto(`${cluster.address}/tasks?name=Number+9999`);
    await page.getByText("No task has exactly the name “Number 9999”").waitFor();
    await page.getByText("These names hold it among the newest 500 tasks:").waitFor();
    await screenshot(page, "tasks-near-names");
    await page.getByRole("link", { name: "task number 9999" }).click();
    await page.getByText("1 shown").waitFor();
    await page.goto(`${cluster.address}/tasks?state=success`);
    await page.getByText("No task matches these filters").waitFor();
    // What has ended cannot be cancelled.
    expect(await page.getByRole("button", { name: "Cancel all that match …" }).count()).toBe(0);
  });
});
