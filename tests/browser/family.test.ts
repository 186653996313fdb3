/** The family of a handler with thousands of children: counted, read in pages, and never all at once. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched } from "./browser.ts";
import { family } from "./tasks/familyTasks.ts";

const file = fileURLToPath(new URL("./tasks/familyTasks.ts", import.meta.url));
const waiting = 3_000;
const failing = 3;
/** Of all children no more than a page or two are in the page. */
const nodesMax = 150;

test("thousands of children are counts and pages, the failed ones are a click away, and all of them are in the list", async () => {
  await watched(
    ["master", "worker-1"],
    async ({ cluster, client, until }) => {
      await family.submit(client, { waiting, failing }, { id: "top", name: "a large family" });
      await until("all children to be there", async () => {
        const { counts } = await client.views.children("top", { limit: 1 });
        return counts.created === waiting && counts.failed === failing;
      });
      const page = await openPage(`${cluster.address}/tasks/top/family`);
      const tree = page.getByRole("list", { name: "Family" });
      const states = tree.getByRole("group", { name: "Children by state" }).first();
      await states.getByRole("button", { name: "3,000 created" }).waitFor();
      const children = tree.getByRole("list", { name: "Children of a large family" }).getByRole("listitem");
      await page.getByText("50 of 3,003 shown").waitFor();
      await page.getByRole("button", { name: "Show 50 more" }).click();
      await page.getByText("100 of 3,003 shown").waitFor();
      expect(await children.count()).toBe(100);
      expect(await tree.getByRole("listitem").count()).toBeLessThan(nodesMax);

      await states.getByRole("button", { name: "3 failed" }).click();
      await tree.getByText("leaf 0 is broken").waitFor();
      await expect.poll(() => children.count()).toBe(failing);
      await states.getByRole("button", { name: "3,000 created" }).click();
      await page.getByRole("link", { name: "All of them in the list of tasks" }).click();
      await page.waitForURL("**/tasks?**parent=top**");
      await page.getByText("waiting 2999", { exact: true }).waitFor();
      expect(await page.getByText(/^failing/).count()).toBe(0);
      // However long an id is, what tells it from those beside it is not cut.
      const ends = page.locator("[role=cell] span[title^='top~'] > :last-child");
      const areShown = await ends.evaluateAll((all) =>
        all.map((end) => {
          const cell = end.closest("[role=cell]")?.getBoundingClientRect();
          return end.scrollWidth <= end.clientWidth && end.getBoundingClientRect().right <= (cell?.right ?? 0) + 1;
        }),
      );
      expect(new Set(areShown)).toEqual(new Set([true]));

      await page.goto(`${cluster.address}/tasks/top`);
      await page.getByText("20 of 3,003, failed ones first").waitFor();
      const shownChildren = page.getByRole("table", { name: "Children" }).getByRole("row");
      expect(await shownChildren.count()).toBe(1 + 20);
      for (const index of [1, 2, 3]) expect(await shownChildren.nth(index).innerText()).toContain("failing");
      await page.getByRole("row").filter({ hasText: "plan" }).waitFor();
      const task = await openPage(`${cluster.address}/tasks/top`, { ...narrow, colorScheme: "dark" });
      await task.getByText("20 of 3,003, failed ones first").waitFor();
      await screenshot(task, "task-with-children-narrow-dark");
      expect(await task.evaluate(() => document.documentElement.scrollWidth)).toBe(narrow.viewport.width);

      await page.goto(`${cluster.address}/tasks`);
      await page.getByText("100+ shown").waitFor();
      await page.getByLabel("Top level only").check();
      await page.getByText("1 shown", { exact: true }).waitFor();
      await page.waitForURL("**/tasks?roots=true");
      await page.reload();
      await page.getByRole("link", { name: "a large family" }).waitFor();
      await screenshot(page, "tasks-top-level");
      expect(await page.getByText("1 shown", { exact: true }).count()).toBe(1);
      for (const [look, screen] of Object.entries({ wide: {}, narrow })) {
        for (const colorScheme of ["light", "dark"] as const) {
          const shown = await openPage(`${cluster.address}/tasks/top/family`, { ...screen, colorScheme });
          await shown.getByText("50 of 3,003 shown").waitFor();
          await screenshot(shown, `family-large-${look}-${colorScheme}`);
          const list = shown.getByRole("list", { name: "Family", exact: true });
          expect(await list.evaluate((each) => each.scrollWidth <= (each.parentElement?.clientWidth ?? 0))).toBe(true);
          expect([look, colorScheme, await violations(shown)]).toEqual([look, colorScheme, []]);
        }
      }
    },
    { workerArguments: ["--tasks", file], capacity: 4 },
  );
});
