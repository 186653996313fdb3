/** What somebody does while the master cannot be reached: nothing is told as done that is not, and no page is lost. */
import { expect, test } from "vitest";
import { openPage, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

const open = { ...wide, mayFailToLoad: /./ };

test("a sign-out that does not reach the master says that the session goes on", async () => {
  await watched(
    ["master"],
    async (stage) => {
      await rootOf(stage).people.addUser({ name: "ada", role: "admin", password });
      const page = await openPage(stage.cluster.address, open);
      await page.getByLabel("Name").fill("ada");
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      await page.context().setOffline(true);
      await page.getByRole("button", { name: "Sign out" }).click();
      const alert = page.getByRole("alert").filter({ hasText: "You are still signed in" });
      await alert.waitFor();
      await page.getByRole("link", { name: "Signed in as ada" }).waitFor();
      await page.context().setOffline(false);
      await alert.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in to Outlast" }).waitFor();
      expect(await alert.count()).toBe(0);
      await page.reload();
      await page.getByRole("heading", { name: "Sign in to Outlast" }).waitFor();
    },
    guarded,
  );
});

test("a page that was never opened is waited for, and what is shown stays meanwhile", async () => {
  await watched(["master"], async ({ cluster }) => {
    const page = await openPage(cluster.address, open);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
    const isSamePage = () => page.evaluate(() => "isSamePage" in globalThis);
    await cluster.kill("master");
    await page.getByText("Connection lost", { exact: true }).first().waitFor();
    await page.getByRole("link", { name: "Schedules" }).click();
    await page.getByText("Loading the page …").waitFor();
    // Whoever does not want to wait goes elsewhere.
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("link", { name: "Schedules" }).click();
    await page.getByText("Loading the page …").waitFor();
    await cluster.start("master");
    await page.getByRole("heading", { name: "Schedules" }).waitFor();
    expect(await isSamePage()).toBe(true);
  });
});

test("a change that is not answered does not say that it is tried again", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    await client.submit({ id: "one", kind: "sleep", input: { seconds: 1 } });
    const page = await openPage(`${cluster.address}/tasks/one`, open);
    await page.getByRole("button", { name: "Cancel …" }).click();
    await page.context().setOffline(true);
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel the task" }).click();
    await dialog.getByRole("alert").getByText("The master cannot be reached.").waitFor();
    expect(await dialog.getByRole("alert").textContent()).toContain("It may have been done or not");
    await page.context().setOffline(false);
    await dialog.getByRole("button", { name: "Cancel the task" }).click();
    await page.getByText("cancelled").first().waitFor();
  });
});
