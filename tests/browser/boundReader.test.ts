/** Somebody who reads one queue only: what he is told of it, and what is not there for him. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

async function signedIn(address: string, look: Parameters<typeof openPage>[1]): Promise<Page> {
  const page = await openPage(null, look);
  await page.request.post(`${address}/v1/session`, { data: { name: "vera", password } });
  await page.goto(address);
  return page;
}

test("somebody who reads one queue is told so, why its tasks wait, and nothing that he may not do", async () => {
  await watched(
    ["master", "worker-1"],
    async (stage) => {
      const { address } = stage.cluster;
      const root = rootOf(stage);
      await root.people.addUser({ name: "vera", role: "viewer", queues: ["reports"], password });
      await root.limitQueue("reports", { concurrencyMax: 1 });
      const nap = { kind: "sleep", input: { seconds: 600 } };
      for (const id of ["one", "two"]) await root.submit({ ...nap, id, queue: "reports" });
      await root.submit({ ...nap, id: "other", queue: "payroll" });
      await root.submit({ ...nap, id: "nobody", queue: "nobody" });
      await stage.until("two to run", async () => (await root.list({ states: ["running"] })).tasks.length === 2);
      for (const [look, options] of Object.entries({
        wide,
        narrow: { ...narrow, colorScheme: "dark" },
      } as const)) {
        const page = await signedIn(address, options);
        await page.getByText("You see one queue only: reports").waitFor();
        await page.getByText("2 of 4 slots in use on the workers that serve your queues").waitFor();
        await page.getByText("the limit of their queue 1").waitFor();
        expect(await page.getByText("a worker of their queue").count()).toBe(0);
        await screenshot(page, `bound-overview-${look}`);
        expect(await violations(page)).toEqual([]);
        await page.getByRole("link", { name: "the limit of their queue 1" }).click();
        await page.waitForURL("**waiting=queue-full**");
        await page.getByRole("link", { name: "two" }).waitFor();
        expect(await page.getByRole("table", { name: "Tasks" }).getByRole("link").count()).toBe(1);
        for (const [path, title] of [
          ["/schedules", "No schedule in your queues"],
          ["/templates", "No template in your queues"],
        ] as const) {
          await page.goto(`${address}${path}`);
          await page.getByText(title).waitFor();
          expect(await page.locator("code").allInnerTexts()).toEqual(["reports"]);
          await screenshot(page, `bound${path.replace("/", "-")}-${look}`);
        }
        await page.context().close();
      }
      // Of a task that is not for her she learns no more than of one that is not there.
      const page = await signedIn(address, { ...wide, mayFailToLoad: /\/v1\/tasks\// });
      await page.getByText("You see one queue only: reports").waitFor();
      for (const id of ["other", "never-there"]) {
        await page.goto(`${address}/tasks/${id}`);
        await page.getByText(`There is no task ${id}.`).waitFor();
        await page.getByText("It may be in a queue that you may not see, or was removed").waitFor();
      }
    },
    { ...guarded, workerArguments: ["--queues", "reports,payroll", "--capacity", "4"] },
  );
});
