/** The page of queues: one call for all of them, their limits, and who may change these. */
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

const count = 200;
const name = (index: number) => `queue-${String(index).padStart(3, "0")}`;

test("200 queues are one call; limits are shown, set and taken away by those who may", async () => {
  await watched(
    ["master"],
    async (stage) => {
      const root = rootOf(stage);
      const { address } = stage.cluster;
      const nap = { kind: "sleep", input: { seconds: 1 } };
      await root.submitAll(Array.from({ length: count }, (_, index) => ({ ...nap, queue: name(index) })));
      await root.submit({ ...nap, id: "first", queue: name(2) });
      await root.submit({ ...nap, id: "held", queue: name(2), after: ["first"] });
      await root.limitQueue(name(0), { concurrencyMax: 5, rate: { count: 100, perMs: 60_000 } });
      for (const [user, role] of [
        ["olga", "operator"],
        ["vera", "viewer"],
      ] as const)
        await root.people.addUser({ name: user, role, password });

      const page = await openPage(null, wide);
      await page.request.post(`${address}/v1/session`, { data: { name: "olga", password } });
      const calls: string[] = [];
      page.on("request", (request) => calls.push(new URL(request.url()).pathname));
      await page.goto(`${address}/queues`);
      const row = (index: number) => page.getByRole("row").filter({ hasText: name(index) });
      await row(count - 1).waitFor();
      await row(0).getByText("5 at a time · 100 in 1m").waitFor();
      await row(1).getByText("none", { exact: true }).waitFor();
      // What is blocked does not run.
      const cellOf = async (head: string) => {
        const heads = await page.getByRole("columnheader").allInnerTexts();
        return row(2).getByRole("cell").nth(heads.indexOf(head)).innerText();
      };
      expect(await Promise.all(["Queued", "Running", "Waiting, blocked"].map(cellOf))).toEqual([
        "2",
        expect.stringMatching(/0$/),
        expect.stringMatching(/1$/),
      ]);
      // Nothing turns where nothing runs.
      expect(await row(1).locator(".turning").count()).toBe(0);
      expect(
        await row(1)
          .getByRole("link", { name: /^The task that waits longest/ })
          .count(),
      ).toBe(1);
      expect(calls.filter((path) => path.startsWith("/v1/tasks"))).toEqual([]);
      expect(calls.filter((path) => path === "/v1/queues").length).toBeLessThanOrEqual(2);
      expect(await violations(page)).toEqual([]);

      await row(1)
        .getByRole("button", { name: `Limit ${name(1)}` })
        .click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Running at a time").fill("some");
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.getByRole("alert").getByText("“Running at a time” is a whole number").waitFor();
      await dialog.getByLabel("Running at a time").fill("3");
      await dialog.getByLabel("Started").fill("10");
      await dialog.getByLabel("In each").fill("2h");
      expect(await violations(page)).toEqual([]);
      await screenshot(page, "queue-limits-dialog");
      await dialog.getByRole("button", { name: "Save" }).click();
      await row(1).getByText("3 at a time · 10 in 2h").waitFor();
      await row(1).getByRole("button", { name: "Pause" }).click();
      await row(1).getByText("paused").waitFor();
      const find = async (which: string) => (await root.queues()).find((queue) => queue.name === which);
      expect(await find(name(1))).toMatchObject({
        concurrencyMax: 3,
        rate: { count: 10, perMs: 7_200_000 },
        isPaused: true,
      });
      await row(0)
        .getByRole("button", { name: `Limit ${name(0)}` })
        .click();
      for (const label of ["Running at a time", "Started"]) await dialog.getByLabel(label).fill("");
      await dialog.getByRole("button", { name: "Save" }).click();
      await row(0).getByText("none", { exact: true }).waitFor();
      expect(await find(name(0))).not.toHaveProperty("rate");
      await screenshot(page, "queues-many");

      const viewer = await openPage(null, { ...narrow, colorScheme: "dark" });
      await viewer.request.post(`${address}/v1/session`, { data: { name: "vera", password } });
      await viewer.goto(`${address}/queues`);
      await viewer
        .getByRole("row")
        .filter({ hasText: name(1) })
        .getByText("3 at a time")
        .waitFor();
      expect(await viewer.getByRole("button", { name: /Limit|Pause|Resume/ }).count()).toBe(0);
    },
    guarded,
  );
});
