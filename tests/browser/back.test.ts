/** The list of tasks again after a look at one of them, and its keys where a box has the focus. */
import { expect, test } from "vitest";
import { openPage, watched } from "./browser.ts";

const tasks = Array.from({ length: 300 }, (_, index) => ({
  ...{ id: `t${index}`, name: `task number ${index}`, kind: "sleep" as const, input: { seconds: 1 } },
  startAt: Date.now() + 86_400_000,
}));

test("back leads to the rows that were on the screen, as they are now", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    await client.submitAll(tasks);
    const page = await openPage(`${cluster.address}/tasks?order=oldest`);
    const row = page.getByRole("link", { name: "task number 250", exact: true });
    await expect
      .poll(async () => {
        await page.evaluate(() => scrollTo(0, 250 * 36));
        return row.isVisible();
      })
      .toBe(true);
    const place = await page.evaluate(() => scrollY);
    expect(place).toBeGreaterThan(5_000);
    await row.click();
    await page.getByRole("heading", { name: "task number 250" }).waitFor();
    await client.cancel("t1");
    await client.cancel("t251");
    await client.cancel("t250");
    // The page has heard of it: nothing else will make the list read again.
    await page.getByTitle("Was cancelled").waitFor();
    await page.goBack();
    await row.waitFor();
    await expect.poll(() => page.evaluate(() => scrollY)).toBe(place);
    await page.getByRole("row").filter({ hasText: "task number 251" }).getByText("cancelled").waitFor();
    // What was not on the screen is read again once it is.
    await page.evaluate(() => scrollTo(0, 0));
    const first = page.getByRole("row").filter({ has: page.getByRole("link", { name: "task number 1", exact: true }) });
    await first.getByText("cancelled").waitFor();
    // The list that is opened anew begins at its top.
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("link", { name: "Tasks", exact: true }).click();
    await page.getByRole("link", { name: "task number 299", exact: true }).waitFor();
    expect(await page.evaluate(() => scrollY)).toBe(0);
  });
});

test("keys work on while the box of a row has the focus", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    await client.submitAll(tasks.slice(0, 5));
    const page = await openPage(`${cluster.address}/tasks?order=oldest`);
    await page.getByLabel("Select task number 1", { exact: true }).click();
    await page.keyboard.press("j");
    expect(await page.locator(":focus").textContent()).toBe("task number 2");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Space");
    await page.getByText("2 selected").waitFor();
    await page.keyboard.press("k");
    expect(await page.locator(":focus").textContent()).toBe("task number 1");
    await page.getByLabel("Top level only").focus();
    await page.keyboard.press("/");
    expect(await page.locator(":focus").getAttribute("type")).toBe("search");
  });
});
