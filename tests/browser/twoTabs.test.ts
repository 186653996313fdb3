/** Two tabs of one browser, which share its session: one that was not looked at notices who is signed in by now. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openPage, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("link", { name: `Signed in as ${name}` }).waitFor();
}

/** What a browser does to a tab behind another one. */
async function hide(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    Object.defineProperty(document, "visibilityState", { value: value ? "hidden" : "visible", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

test("a tab shows nothing of somebody who has signed out in another one, and goes on for who is in now", async () => {
  await watched(
    ["master"],
    async (stage) => {
      const { people } = rootOf(stage);
      await people.addUser({ name: "ada", role: "admin", password });
      await people.addUser({ name: "olga", role: "operator", password });
      await people.addUser({ name: "eve", role: "viewer", password });
      const tab = await openPage(`${stage.cluster.address}/users`, { ...wide, mayFailToLoad: /\/v1\// });
      // It is hidden before it has begun to listen.
      await tab.route(/\/v1\/events/, () => undefined);
      await signIn(tab, "ada");
      await tab.getByRole("row").filter({ hasText: "olga" }).waitFor();
      await hide(tab, true);
      await tab.unrouteAll({ behavior: "ignoreErrors" });

      const other = await tab.context().newPage();
      await other.goto(`${stage.cluster.address}/queues`);
      await other.getByRole("button", { name: "Sign out" }).click();
      await signIn(other, "ada");
      const told = tab.waitForResponse((response) => response.url().endsWith("/v1/session"));
      await hide(tab, false);
      await (await told).finished();
      // The same person in another session: the page may change things.
      await tab.getByRole("button", { name: "Remove eve" }).click();
      await tab.getByRole("button", { name: "Remove the user" }).click();
      await tab.getByRole("row").filter({ hasText: "eve" }).waitFor({ state: "detached" });
      await hide(tab, true);

      await other.getByRole("button", { name: "Sign out" }).click();
      await signIn(other, "olga");
      await hide(tab, false);
      await tab.getByRole("link", { name: "Signed in as olga" }).waitFor();
      await tab.getByText("This page is for admins").waitFor();
      expect(await tab.getByRole("row").count()).toBe(0);

      // One that was refused in between, and so shows the sign-in, is the same.
      await other.getByRole("button", { name: "Sign out" }).click();
      await tab.getByRole("heading", { name: "Sign in to Outlast" }).waitFor();
      await hide(tab, true);
      await signIn(other, "ada");
      await hide(tab, false);
      await tab.getByRole("link", { name: "Signed in as ada" }).waitFor();
      await tab.getByRole("row").filter({ hasText: "olga" }).waitFor();
    },
    guarded,
  );
});
