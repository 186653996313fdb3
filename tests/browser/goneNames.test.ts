/** Addresses of schedules, templates and webhooks that are not there, or not for whoever looks: they show none of another one. */
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

const task = { kind: "sleep", input: { seconds: 0 } };

test("an address of something that is gone says so, and offers nothing of another one", () =>
  watched(
    ["master"],
    async (stage) => {
      const { address } = stage.cluster;
      const root = rootOf(stage);
      await root.people.addUser({ name: "olga", role: "operator", password });
      await root.people.addUser({ name: "rita", role: "operator", queues: ["reports"], password });
      await root.schedules.put("nightly", { when: { cron: "0 2 * * *" }, task });
      await root.schedules.put("weekly", { when: { cron: "0 2 * * 1" }, task: { ...task, queue: "reports" } });
      await root.putTemplate("report", { task });
      await root.webhooks.put("oncall", { url: "https://example.com/hooks", on: ["failure"] });
      for (const [look, options] of Object.entries({ wide, narrow: { ...narrow, colorScheme: "dark" } as const })) {
        const page = await openPage(null, options);
        await page.request.post(`${address}/v1/session`, { data: { name: "olga", password } });
        for (const [what, others] of [
          ["schedule", "nightly"],
          ["template", "report"],
          ["webhook", "oncall"],
        ] as const) {
          await page.goto(`${address}/${what}s?name=gone`);
          await page.getByText(`There is no ${what} gone`).waitFor();
          expect(await page.getByRole("heading", { name: others }).count()).toBe(0);
          expect(await page.getByRole("button", { name: /Remove|Run it|Trigger|Test/ }).count()).toBe(0);
          expect([what, look, await violations(page)]).toEqual([what, look, []]);
          await screenshot(page, `gone-${what}-${look}`);
          await page.getByRole("main").getByRole("link", { name: others }).click();
          await page.getByRole("heading", { name: others }).waitFor();
        }
        await page.context().close();
      }

      const bound = await openPage(null, wide);
      await bound.request.post(`${address}/v1/session`, { data: { name: "rita", password } });
      await bound.goto(`${address}/schedules?name=nightly`);
      await bound.getByText("It may have been removed, or be of another queue than yours.").waitFor();
      expect(await bound.getByRole("heading", { name: "weekly" }).count()).toBe(0);
      await bound.goto(`${address}/schedules?name=weekly`);
      await bound.getByRole("button", { name: "Remove …" }).click();
      await bound.getByRole("button", { name: "Remove it" }).click();
      await bound.getByText("No schedule in your queues").waitFor();
      expect(await bound.getByText("There is no schedule").count()).toBe(0);
    },
    guarded,
  ));
